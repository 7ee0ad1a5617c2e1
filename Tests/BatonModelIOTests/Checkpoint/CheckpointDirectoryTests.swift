import BatonEngine
import Foundation
import Testing

@testable import BatonModelIO

@Suite struct CheckpointDirectoryTests {
    private func checkpoint(step: Int) throws -> Checkpoint {
        var checkpoint = try SmallRun.checkpoint()
        checkpoint.snapshot.stepsDone = step
        return checkpoint
    }

    private func name(_ step: Int) -> String {
        "step-" + String(String(100_000_000 + step).dropFirst()) + ".safetensors"
    }

    @Test func theTwoNewestAreKept() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let directory = CheckpointDirectory(path: folder.file("checkpoints"))
        for step in [0, 9, 10, 100] { try directory.write(checkpoint(step: step)) }
        #expect(directory.files() == [name(10), name(100)].map { directory.path + "/" + $0 })
        #expect(try directory.newest { _ in }.checkpoint.snapshot.stepsDone == 100)
        try directory.write(checkpoint(step: 100))
        #expect(directory.files().count == 2)
    }

    @Test func aDamagedNewestFileIsNamedAndTheOneBeforeIsUsed() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let directory = CheckpointDirectory(path: folder.path)
        for step in [10, 20] { try directory.write(checkpoint(step: step)) }
        var bytes = try folder.content(name(20))
        bytes[bytes.count / 2] ^= 1
        try folder.put(bytes, name(20))
        var named: [String] = []
        #expect(try directory.newest { named.append($0) }.checkpoint.snapshot.stepsDone == 10)
        #expect(named.count == 1 && named[0].contains(name(20)))
        // The run goes on from 10; the damaged file of step 20 does not push good ones out.
        for step in [12, 14] { try directory.write(checkpoint(step: step)) }
        #expect(try folder.names() == [name(12), name(14), name(20)])
        #expect(try directory.newest { _ in }.checkpoint.snapshot.stepsDone == 14)
        for step in [20, 22] { try directory.write(checkpoint(step: step)) }
        #expect(try folder.names() == [name(20), name(22)])
        #expect(try directory.newest { named.append($0) }.checkpoint.snapshot.stepsDone == 22)
        #expect(named.count == 1)
    }

    /// It would stay the newest, and every resumed run would begin at its step again.
    @Test func aCopyUnderANameOfAnotherStepIsPassedOver() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let directory = CheckpointDirectory(path: folder.path)
        for step in [10, 20] { try directory.write(checkpoint(step: step)) }
        try folder.put(folder.content(name(10)), name(30))
        try folder.put(folder.content(name(10)), "step-best.safetensors")
        var named: [String] = []
        #expect(try directory.newest { named.append($0) }.checkpoint.snapshot.stepsDone == 20)
        #expect(named.count == 1 && named.allSatisfy { $0.contains("holds step 10") }, "\(named)")
    }

    /// What somebody put aside is not the directory's to remove.
    @Test func filesOfOtherNamesStay() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let directory = CheckpointDirectory(path: folder.path)
        try directory.write(checkpoint(step: 10))
        let aside = [
            "step-00000000-keep.safetensors", "step-00000010-best.safetensors", "step-000000001.safetensors",
            "step-+0000001.safetensors",
        ]
        for other in aside { try folder.put(folder.content(name(10)), other) }
        for step in [20, 30, 100_000_000, 1_000_000_001] { try directory.write(checkpoint(step: step)) }
        let kept = ["step-100000000.safetensors", "step-1000000001.safetensors"]
        #expect(try folder.names() == (aside + kept).sorted())
        #expect(try directory.newest { _ in }.checkpoint.snapshot.stepsDone == 1_000_000_001)
    }

    @Test func noUsableFileIsOneSentence() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let directory = CheckpointDirectory(path: folder.path)
        #expect(throws: EngineError.self) { _ = try directory.newest { _ in } }
        try folder.put([1, 2, 3], name(7))
        var named: [String] = []
        let error = #expect(throws: EngineError.self) { _ = try directory.newest { named.append($0) } }
        #expect(error?.message.contains("None of the 1 checkpoints in \(folder.path) can be used") == true)
        #expect(error?.message.contains(name(7)) == true)
        #expect(named.isEmpty)
    }

    @Test func aFailedWriteLeavesTheEarlierFileIntact() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let directory = CheckpointDirectory(path: folder.path)
        try directory.write(checkpoint(step: 1))
        // Something that cannot be replaced stands where the next file belongs.
        try FileManager.default.createDirectory(atPath: folder.file(name(2)), withIntermediateDirectories: false)
        #expect(throws: (any Error).self) { try directory.write(checkpoint(step: 2)) }
        #expect(try folder.names() == [name(1), name(2)])
        #expect(try directory.newest { _ in }.checkpoint.snapshot.stepsDone == 1)
    }

    @Test func aDirectoryThatCannotBeReadIsNotCalledEmpty() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        try folder.put([1], "file")
        let directory = CheckpointDirectory(path: folder.file("file"))
        let error = #expect(throws: EngineError.self) { _ = try directory.newest { _ in } }
        #expect(error?.message.hasPrefix("Cannot read the directory \(directory.path): Not a directory;") == true)
        #expect(throws: Never.self) { try CheckpointDirectory(path: folder.file("absent")).checkReadable() }
    }

    @Test func aDirectoryThatCannotBeMadeIsOneSentence() throws {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        try folder.put([1], "file")
        let directory = CheckpointDirectory(path: folder.file("file/checkpoints"))
        let error = #expect(throws: EngineError.self) { try directory.write(checkpoint(step: 1)) }
        #expect(error?.message.contains(folder.file("file/checkpoints")) == true)
    }
}
