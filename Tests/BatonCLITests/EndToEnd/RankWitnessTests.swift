import Foundation
import Testing

/// Ranks that a signal ends, and who says so.
@Suite(.serialized) struct RankWitnessTests {
    /// A run on two ranks that does not end by itself, with the processes of its ranks, the working ones.
    private struct Job {
        let folder: TrainingFolder
        let process: Process
        private let errors: String
        var workers: [pid_t] = []
        var witnesses: [pid_t] = []

        init() throws {
            folder = try TrainingFolder()
            errors = folder.path("errors")
            let options = Array(TrainingFolder.options.dropLast()) + ["1000000", "--sample", "0"]
            process = try folder.start(folder.train(out: "run", options: options), ranks: 2, errors: errors)
            for _ in 0..<600 where !FileManager.default.fileExists(atPath: folder.path("run") + "/metrics.csv") {
                usleep(50_000)
            }
            witnesses = children(of: process.processIdentifier).filter { !children(of: $0).isEmpty }.sorted()
            workers = witnesses.flatMap { children(of: $0) }
        }

        /// What the job said until its end, and its status.
        func end() throws -> (error: String, status: Int32) {
            for _ in 0..<900 where process.isRunning { usleep(100_000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            return (try String(contentsOfFile: errors, encoding: .utf8), process.terminationStatus)
        }

        /// Processes of the ranks that are still there after five seconds.
        func survivors() -> [pid_t] {
            func living() -> [pid_t] {
                (workers + witnesses).filter {
                    FileManager.default.contents(atPath: "/proc/\($0)/cmdline")?.isEmpty == false
                }
            }
            for _ in 0..<100 where !living().isEmpty { usleep(50_000) }
            return living()
        }
    }

    /// As the kernel does when memory runs out.
    @Test(arguments: [(0, SIGKILL), (1, SIGKILL), (1, SIGALRM)]) func aKilledRankIsNamed(rank: Int, signal: Int32)
        throws
    {
        let job = try Job()
        defer { job.folder.remove() }
        try #require(job.workers.count == 2)
        kill(job.workers[rank], signal)
        let (error, status) = try job.end()
        #expect(status == 128 + signal)
        let sentences = error.split(separator: "\n").filter { $0.hasPrefix("baton: ") }
        #expect(sentences.count == 1, "\(error)")
        #expect(sentences.first?.hasPrefix("baton: rank \(rank) was ended by signal \(signal) (") == true, "\(error)")
        #expect(sentences.first?.hasSuffix("train --resume goes on from the run's newest checkpoint.") == true)
        #expect(job.survivors() == [])
    }

    /// mpirun knows only the witness.
    @Test func aRankEndsWithItsWitness() throws {
        let job = try Job()
        defer { job.folder.remove() }
        try #require(job.workers.count == 2)
        kill(job.witnesses[1], SIGKILL)
        let (error, status) = try job.end()
        #expect(status == 128 + SIGKILL)
        #expect(
            error == "baton: rank 1 ended because the process that launched it was killed; start the job again, "
                + "and train --resume goes on from the run's newest checkpoint.\n", "\(error)")
        #expect(job.survivors() == [])
    }

    @Test func anInterruptedJobSaysNothingOfItsRanks() throws {
        let job = try Job()
        defer { job.folder.remove() }
        try #require(job.workers.count == 2)
        kill(job.process.processIdentifier, SIGINT)
        let (error, status) = try job.end()
        #expect(status != 0 && error == "", "\(error)")
        #expect(job.survivors() == [])
    }
}
