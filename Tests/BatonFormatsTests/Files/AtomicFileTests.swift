import Foundation
import Testing

@testable import BatonFormats

@Suite struct AtomicFileTests {
    private let old = Array("the old content".utf8)

    private func directoryWithOldFile() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try Data(old).write(to: URL(fileURLWithPath: directory.file("x")))
        return directory
    }

    @Test func commitReplacesTheFileAndReturnsItsDigest() throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        var file = try AtomicFile(path: directory.file("x"))
        try file.write([1, 2])
        try file.write([])
        try file.write([3])
        #expect(try content(of: directory.file("x")) == old)
        let digest = try file.commit()
        #expect(try content(of: directory.file("x")) == [1, 2, 3])
        #expect(digest == SHA256Digest(of: [1, 2, 3]))
        #expect(try directory.names() == ["x"])
    }

    @Test func aValueDroppedWithoutCommitLeavesTheOldFileAndNothingElse() throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        struct Interruption: Error {}
        func write() throws {
            var file = try AtomicFile(path: directory.file("x"))
            try file.write([1, 2, 3])
            #expect(try directory.names().count == 2)
            throw Interruption()
        }
        #expect(throws: Interruption.self) { try write() }
        #expect(try content(of: directory.file("x")) == old)
        #expect(try directory.names() == ["x"])
    }

    /// The system really refuses: a child process may not write files beyond the limit.
    @Test(arguments: [0, 1, 4_096, 9_999]) func aRefusedWriteLeavesTheOldFileAndNothingElse(limit: Int) async throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        await #expect(processExitsWith: .exitCode(7)) { [path = directory.file("x") as String, limit] in
            signal(SIGXFSZ, SIG_IGN)
            var bound = rlimit(rlim_cur: rlim_t(limit), rlim_max: rlim_t(limit))
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &bound)
            func write() throws(FormatError) {
                var file = try AtomicFile(path: path)
                for _ in 0..<10 { try file.write([UInt8](repeating: 5, count: 1_000)) }
                try file.commit()
            }
            do throws(FormatError) { try write() } catch { exit(error.code == .writeFailed ? 7 : 8) }
        }
        #expect(try content(of: directory.file("x")) == old)
        #expect(try directory.names() == ["x"])
    }

    @Test(arguments: [0, 1, 5]) func aKilledWriterLeavesTheOldFileAndTheNextOneCleansUp(pieces: Int) async throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.file("x") as String, pieces] in
            var file = try AtomicFile(path: path)
            for _ in 0..<pieces { try file.write([UInt8](repeating: 5, count: 1_000)) }
            kill(getpid(), SIGKILL)
            try file.commit()
        }
        #expect(try content(of: directory.file("x")) == old)
        #expect(try directory.names().count == 2)
        // A file of another target, whose name begins the same, is none of ours.
        let foreign = ".x.y.00ff.temporary"
        try Data(old).write(to: URL(fileURLWithPath: directory.file(foreign)))
        let file = try AtomicFile(path: directory.file("x"))
        try file.commit()
        #expect(try directory.names() == [foreign, "x"])
        #expect(try content(of: directory.file("x")) == [])
    }

    @Test func twoWritersDoNotDisturbEachOther() throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        var first = try AtomicFile(path: directory.file("x"))
        var second = try AtomicFile(path: directory.file("x"))
        try first.write([1, 1])
        try second.write([2, 2])
        try second.commit()
        #expect(try content(of: directory.file("x")) == [2, 2])
        try first.commit()
        #expect(try content(of: directory.file("x")) == [1, 1])
        #expect(try directory.names() == ["x"])
    }

    @Test func aSymbolicLinkStaysAndItsFileIsReplaced() throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "x")
        var file = try AtomicFile(path: directory.file("link"))
        try file.write([1])
        try file.commit()
        #expect(try content(of: directory.file("x")) == [1])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: directory.file("link")) == "x")
    }

    @Test(arguments: ["y", "sub/y", "./second"]) func aLinkToAFileThatIsNotThereStaysAndTheFileIsMade(target: String)
        throws
    {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let files = FileManager.default
        try files.createDirectory(atPath: directory.file("sub"), withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: target)
        try files.createSymbolicLink(
            atPath: directory.file("second"), withDestinationPath: directory.file("sub/y"))
        try AtomicFile.write("text", to: directory.file("link"))
        #expect(try content(of: directory.file("link")) == Array("text".utf8))
        #expect(try files.destinationOfSymbolicLink(atPath: directory.file("link")) == target)
        #expect(try files.destinationOfSymbolicLink(atPath: directory.file("second")) == directory.file("sub/y"))
    }

    @Test(arguments: [0o600, 0o640, 0o755]) func theNewFileHasThePermissionsOfTheOld(permissions: Int) throws {
        let directory = try directoryWithOldFile()
        defer { directory.remove() }
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: directory.file("x"))
        try AtomicFile.write("text", to: directory.file("x"))
        let found = try FileManager.default.attributesOfItem(atPath: directory.file("x"))[.posixPermissions] as? Int
        #expect(found == permissions)
    }

    /// The temporary file has a longer name, which is cut.
    @Test(arguments: [(230, "n"), (255, "n"), (127, "é")]) func theLongestNamesCanBeWritten(count: Int, letter: String)
        throws
    {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let name = String(repeating: letter, count: count)
        for text in ["one", "two"] { try AtomicFile.write(text, to: directory.file(name)) }
        #expect(try directory.names() == [name])
        #expect(try content(of: directory.file(name)) == Array("two".utf8))
    }

    @Test func directoriesPipesAndMissingDirectoriesAreRefused() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        for (path, code) in [
            (directory.path, FormatError.Code.notARegularFile), (directory.file("pipe"), .notARegularFile),
            (directory.path + "/", .notARegularFile), ("", .notARegularFile),
            (directory.file("no/x"), .writeFailed),
        ] {
            let error = #expect(throws: FormatError.self) {
                let file = try AtomicFile(path: path)
                try file.commit()
            }
            #expect(error?.code == code, "\(path)")
        }
        #expect(try directory.names() == ["pipe"])
    }
}
