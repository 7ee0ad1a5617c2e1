import ArgumentParser
import Baton

/// `--trace`: where the time of some steps goes, on every rank.
struct TraceOption: ParsableArguments {
    @Option(
        help: "File for a Chrome/Perfetto trace of all ranks: compute, wait and exchange, per action of the schedule.")
    var trace: String?
    @Option(help: "Steps to trace (default: 10), after two that warm up.")
    var traceSteps: Int?

    /// Steps to trace.
    var steps: Int { traceSteps ?? 10 }

    func validate() throws {
        guard let traceSteps else { return }
        guard trace != nil else { throw ValidationError("--trace-steps needs --trace FILE.") }
        try FlagCheck.counts(["--trace-steps": traceSteps], limit: 10_000)
    }

    /// Refuses a file that cannot be written, or would take the place of something else than an earlier trace, before a run
    /// that would end with it. Collective.
    ///
    /// - Parameter directory: the run's, which may be yet to be made.
    func check(_ job: ParallelJob, directory: RunDirectory? = nil) throws {
        guard let trace else { return }
        _ = try job.share {
            if let directory, directory.isOwn(trace) {
                throw CommandFailure("--trace \(trace) would replace a file of the run; name another file.")
            }
            if let directory, try directory.willHold(trace) { return [] }
            _ = try AtomicFile(path: trace)
            guard try ChromeTrace.mayReplace(trace) else {
                throw CommandFailure(
                    "--trace \(trace) is a file already, and no trace; name another one, or remove it.")
            }
            return []
        }
    }

    /// Gathers the trace and writes it. Collective.
    ///
    /// - Returns: what is to be printed, on rank 0; nil elsewhere and if nothing was traced.
    func finish(_ trainer: LanguageModelTrainer, _ job: ParallelJob) throws -> TraceReport? {
        guard let path = trace else { return nil }
        let recorded = try trainer.endTrace()
        _ = try job.share {
            if let recorded { try ChromeTrace(recorded).write(to: path) }
            return []
        }
        return recorded.map { TraceReport($0, file: path) }
    }
}
