import Foundation
import Testing

/// Trainings that are asked to stop, and what they have kept by then.
@Suite(.serialized) struct StoppedRunTests {
    /// No step of these has a checkpoint of its own.
    private static let options =
        Array(TrainingFolder.options.dropLast()) + ["1000000", "--sample", "0", "--checkpoint-every", "1000000"]

    /// The steps of a run that have checkpoints, without the beginning.
    private func steps(_ folder: TrainingFolder) -> [Int] {
        ((try? folder.checkpoints("run")) ?? []).compactMap { Int($0.dropFirst(5).prefix(8)) }.filter { $0 > 0 }
            .sorted()
    }

    private func wait(_ condition: () throws -> Bool) rethrows {
        for _ in 0..<600 where try !condition() { usleep(50_000) }
    }

    /// SIGUSR1 goes to mpirun, the others to a rank, where there are ranks. SIGPIPE is what a closed pipe sends.
    @Test(arguments: [
        (1, SIGINT), (1, SIGTERM), (1, SIGUSR1), (1, SIGHUP), (1, SIGXCPU), (1, SIGPIPE), (2, SIGUSR1), (2, SIGTERM),
        (2, SIGHUP),
    ])
    func itKeepsAllItsSteps(ranks: Int, signal: Int32) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let trace = folder.path("trace.json")
        let begin = folder.train(out: "run", ["--checkpoint-minutes", "0", "--trace", trace], options: Self.options)
        let process = try folder.start(begin, ranks: ranks, errors: folder.path("errors"))
        // Begun, and some steps done.
        wait { FileManager.default.fileExists(atPath: folder.path("run") + "/validation.csv") }
        usleep(300_000)
        #expect(steps(folder) == [])
        let witnesses = children(of: process.processIdentifier)
        let rank = ranks == 1 || signal == SIGUSR1 ? process.processIdentifier : witnesses.last ?? 0
        try #require(rank > 0 && kill(rank, signal) == 0)
        wait { !process.isRunning }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + signal)
        #expect(try String(contentsOfFile: folder.path("errors"), encoding: .utf8) == "")
        let stopped = try #require(steps(folder).last)
        #expect(try folder.lines("run", "metrics.csv").count == stopped + 1)
        // Also what was to be seen of its first steps.
        #expect(FileManager.default.fileExists(atPath: trace))
        let end = ["--stop-at-step", String(stopped + 20)]
        #expect(try folder.baton(folder.resume("run", end)).output.contains("resumed after step \(stopped)"))
        #expect(try folder.baton(folder.train(out: "whole", end, options: Self.options)).status == 0)
        #expect(try folder.bits("run") == folder.bits("whole"))
    }

    /// Ranks that divide units make every character of a sample together: one that is asked to stop must not leave.
    @Test func aSampleThatRanksMakeTogetherIsMadeToItsEnd() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let errors = folder.path("errors")
        let begin = folder.train(out: "run", ["--layout", "shard=2", "--sample", "30000"], options: Self.options)
        let process = try folder.start(begin, ranks: 2, errors: errors)
        // The epoch has ended, and the sample comes next.
        wait { ((try? folder.lines("run", "validation.csv")) ?? []).contains { $0.hasPrefix("17,") } }
        let rank = children(of: process.processIdentifier).last ?? 0
        try #require(rank > 0 && kill(rank, SIGUSR1) == 0)
        wait { !process.isRunning }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + SIGUSR1)
        #expect(try String(contentsOfFile: errors, encoding: .utf8) == "")
        #expect(try #require(steps(folder).last) >= 17)
    }

    /// Ctrl-\ is for who does not want to wait; the Swift runtime would report a crash, and go on.
    @Test(arguments: [1, 2]) func quittingEndsItAtOnce(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let errors = folder.path("errors")
        let process = try folder.start(folder.train(out: "run", options: Self.options), ranks: ranks, errors: errors)
        wait { FileManager.default.fileExists(atPath: folder.path("run") + "/validation.csv") }
        let rank = ranks == 1 ? process.processIdentifier : children(of: process.processIdentifier).last ?? 0
        try #require(rank > 0 && kill(rank, SIGQUIT) == 0)
        wait { !process.isRunning }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(process.terminationReason == (ranks == 1 ? .uncaughtSignal : .exit))
        #expect(process.terminationStatus == (ranks == 1 ? SIGQUIT : 128 + SIGQUIT))
        #expect(try !String(contentsOfFile: errors, encoding: .utf8).contains("crash"))
        #expect(steps(folder) == [])
    }

    /// `baton train | head`.
    @Test func aPipeThatIsClosedStopsIt() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let words = folder.train(out: "run", options: Self.options).map { "'\($0)'" }.joined(separator: " ")
        let line = "(\"$1\" \(words); echo $? >&2) | head -n 4"
        let run = try folder.limited(["/bin/sh", "-c", line, "sh", BatonProcess.executable().path])
        #expect(run.error == "\(128 + SIGPIPE)\n")
        #expect(try folder.lines("run", "metrics.csv").count == #require(steps(folder).last) + 1)
    }

    /// As a run under nohup has it.
    @Test func aHangupThatIsIgnoredDoesNotStopIt() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let words = folder.train(out: "run").map { "'\($0)'" }.joined(separator: " ")
        let run = try folder.limited(
            [
                "/bin/sh", "-c", "trap '' HUP; \"$1\" \(words) & kill -HUP $!; wait $!", "sh",
                BatonProcess.executable().path,
            ])
        #expect(run.status == 0 && run.error == "", "\(run.error)")
        #expect(try folder.bits("run").count == 21)
    }

    @Test(arguments: [1, 2]) func aDirectoryThatIsMovedEndsIt(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let begin = folder.train(out: "run", ["--checkpoint-every", "200"], options: Self.options)
        let process = try folder.start(begin, ranks: ranks, errors: folder.path("errors"))
        wait { !steps(folder).isEmpty }
        try FileManager.default.moveItem(atPath: folder.path("run"), toPath: folder.path("moved"))
        wait { !process.isRunning }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        let error = try String(contentsOfFile: folder.path("errors"), encoding: .utf8)
        #expect(error.contains("was moved, removed or replaced") && error.filter { $0 == "\n" }.count == 1, "\(error)")
        #expect(try folder.folder.names() == ["errors", "moved", "text"])
    }

    @Test(arguments: [1, 2]) func aCheckpointIsNotOlderThanAsked(ranks: Int) throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let begin = folder.train(out: "run", ["--checkpoint-minutes", "0.001"], options: Self.options)
        let process = try folder.start(begin, ranks: ranks)
        wait { steps(folder).count > 1 }
        kill(process.processIdentifier, ranks == 1 ? SIGKILL : SIGINT)
        process.waitUntilExit()
        #expect(steps(folder).count == 2)
    }

    @Test func anAgeThatIsNoTimeIsRefused() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        for minutes in ["-1", "nan", "inf"] {
            let refused = try folder.baton(folder.train(out: "run", ["--checkpoint-minutes", minutes]))
            #expect(refused.status == 2 && refused.error.contains("--checkpoint-minutes"), "\(refused.error)")
        }
    }
}
