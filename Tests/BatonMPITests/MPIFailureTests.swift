import BatonMPITestSupport
import Foundation
import Testing

/// Jobs that fail must end on all ranks, with a non-zero status, and leave nobody behind. Each test starts
/// this test program again under mpirun, with one of MPIFailureScenarios.
@Suite(.serialized, .enabled(if: !TestWorld.isUnderMPI && Job.isPossible, "mpirun is not installed"))
struct MPIFailureTests {
    @Test(arguments: ["abortWhileOthersWait", "abortWhileOthersCompute"], [2, 3, 4])
    func anAbortEndsAllRanks(scenario: String, ranks: Int) throws {
        let job = try Job(scenario, ranks: ranks)
        #expect(job.status == 3)
        #expect(job.output.contains("found something wrong."), "what was printed before the abort arrives")
        #expect(job.orphans == [])
    }

    @Test func leavingWithoutFinalizeFailsTheJob() throws {
        let job = try Job("leaveWithoutFinalize", ranks: 2)
        #expect(job.status != 0)
        #expect(job.orphans == [])
    }

    @Test func aDroppedSendClosesMPIAndIsNamed() throws {
        let job = try Job("dropAnUnfinishedSend", ranks: 2)
        #expect(job.status == 9)
        #expect(
            job.output.contains(
                "dropped before it had finished (rank 0 waits to send 1048576 bytes to rank 1 (tag 77))"))
    }

    @Test func aReceiveDroppedUnderWayClosesMPIAndIsNamed() throws {
        let job = try Job(
            "dropAReceiveUnderWay", ranks: 2, options: ["--mca", "btl_vader_single_copy_mechanism", "none"])
        #expect(job.status == 9)
        #expect(
            job.output.contains("dropped before it had finished (rank 0 waits for 4194304 bytes from rank 1 (tag 77))"))
    }
}

/// A run of one scenario under mpirun, finished.
private struct Job {
    let status: Int32
    let output: String
    /// Processes of the job that are still there a second after mpirun has gone.
    let orphans: [String]

    static var isPossible: Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: $0 + "/mpirun") }
    }

    init(_ scenario: String, ranks: Int, options: [String] = []) throws {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString).log")
        try #require(FileManager.default.createFile(atPath: log.path, contents: nil))
        defer { try? FileManager.default.removeItem(at: log) }
        let mark = UUID().uuidString
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        process.arguments =
            ["mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none"]
            + ["--mca", "pml", "ob1", "--mca", "btl", "self,vader,tcp", "--mca", "mpi_yield_when_idle", "1"] + options
            + [program, "--testing-library", "swift-testing", "--no-parallel", "--filter", "MPIFailureScenarios"]
        var environment = ProcessInfo.processInfo.environment
        environment[MPIFailureScenarios.variable] = scenario
        environment["BATON_JOB_MARK"] = mark
        if getuid() == 0 {
            environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
            environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        }
        process.environment = environment
        let file = try FileHandle(forWritingTo: log)
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        // mpirun takes up to a minute now and then to end a job that has failed; one that hangs is ended here, by a signal.
        let start = Date()
        try process.run()
        while process.isRunning, Date().timeIntervalSince(start) < 90 { usleep(20_000) }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        output = String(decoding: try Data(contentsOf: log), as: UTF8.self)
        orphans = Job.processes(marked: mark)
    }

    private static func processes(marked mark: String) -> [String] {
        var found: [String] = []
        for _ in 0..<10 {
            found = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { entry in
                guard Int(entry) != nil, let text = FileManager.default.contents(atPath: "/proc/\(entry)/environ")
                else { return false }
                return text.range(of: Data("BATON_JOB_MARK=\(mark)".utf8)) != nil
            }
            if found.isEmpty { return [] }
            usleep(100_000)
        }
        return found
    }
}
