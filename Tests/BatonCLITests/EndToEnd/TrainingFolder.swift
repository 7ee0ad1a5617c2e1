import Foundation
import Testing

/// A folder with a small text, and runs of the built `baton` in it, each ended after a minute if it hangs.
struct TrainingFolder {
    let folder: TemporaryFolder
    /// 1200 characters of 14 different ones: 17 windows per epoch of `options`.
    let text: String

    init() throws {
        folder = try TemporaryFolder()
        text = folder.file("text")
        var words = ""
        var state: UInt32 = 7
        while words.utf8.count < 1200 {
            state = state &* 1_664_525 &+ 1_013_904_223
            words += ["the ", "baton ", "passes ", "on.\n", "relay "][Int(state >> 16) % 5]
        }
        try Data(words.utf8.prefix(1200)).write(to: URL(filePath: text))
    }

    func remove() { folder.remove() }
    func path(_ name: String) -> String { folder.file(name) }

    /// Flags of a run of 20 steps.
    static let options = [
        "--layers", "1", "--hidden", "17", "--embed", "5", "--dropout", "0.2", "--batch", "6", "--steps-per-window",
        "10",
        "--max-steps", "20",
    ]

    /// Arguments of `train` with these flags, unless others are named, and without those that `more` gives.
    func train(out: String, _ more: [String] = [], options: [String] = options) -> [String] {
        let kept = stride(from: 0, to: options.count - 1, by: 2).filter { !more.contains(options[$0]) }
            .flatMap { options[$0...$0 + 1] }
        return ["train", "--data", text, "--out", path(out)] + kept + more
    }

    func resume(_ out: String, _ more: [String] = []) -> [String] {
        train(out: out, ["--resume"] + more, options: [])
    }

    /// Runs baton in one process, or through launch/run on several ranks.
    func baton(_ arguments: [String], ranks: Int = 1, environment: [String: String] = [:]) throws -> BatonProcess {
        let program =
            ranks == 1
            ? [try BatonProcess.executable().path]
            : [Self.launcher, "-n", String(ranks), "--"]
        return try limited(program + arguments, environment: environment)
    }

    /// Starts baton as `baton(_:ranks:)` does, without waiting for its end.
    ///
    /// - Parameter errors: A new file for standard error; nil leaves it unread.
    func start(_ arguments: [String], ranks: Int, errors: String? = nil) throws -> Process {
        let process = Process()
        process.executableURL = ranks == 1 ? try BatonProcess.executable() : URL(filePath: Self.launcher)
        process.arguments = (ranks == 1 ? [] : ["-n", String(ranks), "--"]) + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["OPENBLAS_NUM_THREADS": "1"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        if let errors {
            try Data().write(to: URL(filePath: errors))
            process.standardError = FileHandle(forWritingAtPath: errors)
        }
        // mpirun does not heed signals that the thread which starts it has blocked.
        var (none, blocked) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try process.run()
        return process
    }

    /// Any command line, with one BLAS thread as under launch/run.
    func limited(_ line: [String], environment: [String: String] = [:]) throws -> BatonProcess {
        try BatonProcess(
            URL(filePath: "/usr/bin/env"), ["timeout", "--kill-after=5", "60"] + line,
            environment: ["OPENBLAS_NUM_THREADS": "1"].merging(environment) { $1 },
            without: ["BATON_ISA", "OPENBLAS_CORETYPE"])
    }

    private static let launcher = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "launch/run").path

    /// Lines of a file of a run.
    func lines(_ out: String, _ file: String) throws -> [String] {
        try String(contentsOfFile: path(out) + "/" + file, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// The columns of metrics.csv that must not depend on ranks or interruptions: step, loss and its bits, norm and its
    /// bits, hash, tokens.
    func bits(_ out: String) throws -> [[String]] {
        try lines(out, "metrics.csv").map { Array($0.split(separator: ",").map(String.init)[..<7]) }
    }

    func checkpoints(_ out: String) throws -> [String] { try TemporaryFolder.names(path(out) + "/checkpoints") }
}
