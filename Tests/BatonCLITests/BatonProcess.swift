import Foundation

/// One run of the built `baton`, which stands beside the test bundle.
struct BatonProcess {
    let status: Int32
    let output: String
    let error: String

    /// The built `baton`.
    static func executable() throws -> URL {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "baton")
    }

    /// Runs baton to its end, outside any MPI job, with variables added to this process' and others taken away.
    init(_ arguments: [String], environment: [String: String] = [:], without removed: [String] = []) throws {
        try self.init(Self.executable(), arguments, environment: environment, without: removed)
    }

    /// The same with another program.
    init(
        _ executable: URL, _ arguments: [String], environment: [String: String] = [:], without removed: [String] = []
    ) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        let inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("OMPI_COMM_WORLD") && !removed.contains(name)
        }
        process.environment = inherited.merging(environment) { _, given in given }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Neither stream carries more than a pipe holds before the other is read.
        let outputBytes = output.fileHandleForReading.readDataToEndOfFile()
        let errorBytes = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
        self.output = String(decoding: outputBytes, as: UTF8.self)
        self.error = String(decoding: errorBytes, as: UTF8.self)
    }

    /// The object that `--json` printed.
    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }
}

/// Process ids of the children of a process: of `mpirun`, the witnesses of its ranks; of these, the ranks.
func children(of process: pid_t) -> [pid_t] {
    let tasks = "/proc/\(process)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
    return threads.flatMap { thread in
        ((try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)) ?? "")
            .split(separator: " ").compactMap { pid_t($0) }
    }
}

/// A new folder, removed with everything in it by `remove()`.
struct TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "baton-cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// Names of the files inside, sorted.
    func names() throws -> [String] { try Self.names(path) }

    /// Names of the files in a folder, sorted.
    static func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: file(name))) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
