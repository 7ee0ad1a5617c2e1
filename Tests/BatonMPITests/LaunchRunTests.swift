import BatonMPITestSupport
import Foundation
import Testing

/// The script launch/run, in a directory of its own with a stand-in for `baton` and, where the mpirun line itself is
/// looked at, for `mpirun` and for what it asks about the machine.
@Suite(.serialized, .enabled(if: !TestWorld.isUnderMPI)) struct LaunchRunTests {
    @Test(arguments: [
        (["-n", "0", "--", "info"], "got '0'"), (["-n", "two", "--", "info"], "got 'two'"), (["-n"], "-n needs"),
        (["--", "info"], "number of ranks"), (["-n", "2"], "nothing to run"), (["-n", "2", "--"], "nothing to run"),
        (["train"], "unknown argument 'train'"), (["-n", "2", "--hosts", "a::1", "--", "info"], "got 'a::1'"),
        (["-n", "99999", "--", "info"], "99999 ranks are too many for the 2 cores"),
        (["-n", "5", "--hosts", "a:2,b", "--", "info"], "5 ranks do not fit the 3 slots of --hosts a:2,b"),
        (["-n", "2", "--hosts"], "--hosts needs"), (["-n", "2", "--hosts", "a,-b:2", "--", "info"], "got 'a,-b:2'"),
    ])
    func wrongUsageIsOneSentenceAndStatusTwo(arguments: [String], saying: String) throws {
        let run = try Sandbox().run(arguments)
        #expect(run.status == 2)
        #expect(run.error.contains(saying))
        #expect(run.error.split(separator: "\n").count == 1)
        #expect(run.output == "")
    }

    @Test func oneRankRunsWithoutMPI() throws {
        let run = try Sandbox().run(["-n", "1", "--", "train", "--data", "a file"])
        #expect(run.status == 0)
        #expect(run.output == "baton train|--data|a file| threads 1 size none\n")
    }

    @Test func theStatusIsThatOfBaton() throws {
        #expect(try Sandbox().run(["-n", "1", "--", "leave", "2"]).status == 2)
    }

    @Test func ranksWithACoreEachAreBound() throws {
        let run = try Sandbox(cores: 4).run(["-n", "4", "--", "info", "a file"])
        #expect(run.output.contains("mpirun -n|4|"))
        #expect(run.output.contains("--bind-to|core|"))
        #expect(!run.output.contains("oversubscribe") && !run.output.contains("yield"))
        #expect(run.output.contains("/.build/release/baton|info|a file|"))
        #expect(run.output.contains("--mca|pml|ob1|--mca|btl|self,vader,tcp|"))
        #expect(run.output.contains("threads 1"))
    }

    @Test func moreRanksThanCoresYield() throws {
        let run = try Sandbox(cores: 2).run(["-n", "3", "--", "info"])
        #expect(run.output.contains("--bind-to|none|--oversubscribe|--mca|mpi_yield_when_idle|1|"))
    }

    @Test func asManyRanksAsCoresAreNeverTooMany() throws {
        #expect(try Sandbox(cores: 300).run(["-n", "300", "--", "info"]).output.contains("--bind-to|core|"))
        let more = try Sandbox(cores: 300).run(["-n", "301", "--", "info"])
        #expect(more.status == 2 && more.error.contains("at most 300"), "\(more.error)")
    }

    @Test func onlyRootAllowsRoot() throws {
        #expect(try Sandbox(user: 0).run(["-n", "2", "--", "info"]).output.contains("root 1 1"))
        #expect(try Sandbox(user: 1000).run(["-n", "2", "--", "info"]).output.contains("root none none"))
    }

    /// Two threads of one core are one core; those of others do not count if the shell may not use them.
    @Test(arguments: [([0, 4], true), ([0, 1], false), ([0, 1, 4, 5], false), ([3, 7], true)])
    func coresThatTheShellMayUseCount(usable: [Int], isShort: Bool) throws {
        let run = try Sandbox(cores: 4, usable: usable).run(["-n", "2", "--", "info"])
        #expect(run.output.contains("--oversubscribe|") == isShort, "\(run.output)")
        #expect(run.output.contains("--bind-to|core|") != isShort)
    }

    @Test func hostsAreHandedOnAndNotBound() throws {
        let run = try Sandbox(cores: 8).run(["--hosts", "node1:2,node2:2", "-n", "4", "--", "info"])
        #expect(run.output.contains("--host|node1:2,node2:2|--bind-to|none|"))
        #expect(run.output.contains("oob_tcp_keepalive_time|2|"))
    }
}

/// A copy of the script among stand-ins.
private struct Sandbox {
    private let root: URL
    private let draft: URL

    /// - Parameter usable: of a machine whose cores have two threads each, `cores` apart, those the shell may use.
    init(cores: Int = 2, usable: [Int]? = nil, user: Int = 1000) throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString)")
        draft = root.appendingPathExtension("draft")
        defer { try? FileManager.default.removeItem(at: draft) }
        for folder in ["launch", ".build/release", "bin"] {
            try FileManager.default.createDirectory(
                at: draft.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("launch/run")
        try FileManager.default.copyItem(at: script, to: draft.appendingPathComponent("launch/run"))
        let arguments = #"$(printf '%s|' "$@")"#
        try write(
            ".build/release/baton",
            #"[ "$1" != leave ] || exit "$2"; "#
                + "echo \"baton \(arguments) threads $OPENBLAS_NUM_THREADS size ${OMPI_COMM_WORLD_SIZE:-none}\"")
        try write(
            "bin/mpirun",
            "echo \"mpirun \(arguments) threads $OPENBLAS_NUM_THREADS root "
                + "${OMPI_ALLOW_RUN_AS_ROOT:-none} ${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-none}\"")
        let processors = 0..<(usable == nil ? cores : 2 * cores)
        let list = (usable ?? Array(processors)).map(String.init).joined(separator: ",")
        try write("bin/nproc", "echo \(usable?.count ?? cores)")
        try write(
            "bin/lscpu",
            "echo '# CPU,Core,Socket'; for cpu in $(seq 0 \(processors.count - 1)); do echo $cpu,$((cpu % \(cores))),0; done"
        )
        try write("bin/taskset", "echo \"pid 7's current affinity list: \(list)\"")
        try write("bin/id", "echo \(user)")
        // Another test that starts a process just now hands it the open files of this one, and a script that somebody has
        // open for writing cannot be run: so those that are run are written elsewhere.
        let copy = try Process.run(URL(fileURLWithPath: "/bin/cp"), arguments: ["-a", draft.path, root.path])
        copy.waitUntilExit()
        #expect(copy.terminationStatus == 0)
    }

    private func write(_ name: String, _ text: String) throws {
        let file = draft.appendingPathComponent(name)
        try "#!/bin/sh\n\(text)\n".write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }

    /// Runs the script and removes the sandbox.
    func run(_ arguments: [String]) throws -> (status: Int32, output: String, error: String) {
        defer { try? FileManager.default.removeItem(at: root) }
        let process = Process()
        process.executableURL = root.appendingPathComponent("launch/run")
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("OMPI_") }
        environment["PATH"] = "\(root.path)/bin:\(environment["PATH"] ?? "/usr/bin:/bin")"
        process.environment = environment
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let texts = [output, error].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        return (process.terminationStatus, texts[0], texts[1])
    }
}
