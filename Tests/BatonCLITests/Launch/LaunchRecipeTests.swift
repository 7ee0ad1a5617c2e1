import Foundation
import Testing

/// The recipes for Slurm and for host files, as far as they can be run without either: the line they would run.
@Suite struct LaunchRecipeTests {
    private static let launch = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "launch")

    private func run(
        _ script: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> BatonProcess {
        try BatonProcess(
            Self.launch.appending(path: script), arguments, environment: environment,
            without: ["SLURM_JOB_ID", "BATON_HOME", "BATON_DRY_RUN"])
    }

    @Test(arguments: ["run", "slurm/baton.sbatch", "hosts/run"])
    func theScriptIsOne(script: String) throws {
        let check = try BatonProcess(
            URL(filePath: "/usr/bin/env"), ["bash", "-n", Self.launch.appending(path: script).path])
        #expect(check.status == 0, "\(check.error)")
    }

    @Test func aHostFileBecomesOneLineOfMpirun() throws {
        let example = Self.launch.appending(path: "hosts/hostfile.example").path
        let dry = try run("hosts/run", [example, "--dry-run", "--", "train", "--data", "a b.txt"])
        #expect(dry.status == 0, "\(dry.error)")
        #expect(dry.output.hasPrefix("env OPENBLAS_NUM_THREADS=1 ") && dry.output.contains(" mpirun -n 10 "))
        #expect(dry.output.contains("--host node1:4\\,node2:4\\,10.0.0.13:2 --bind-to none"))
        #expect(dry.output.contains("baton train --data a\\ b.txt"))
    }

    @Test func wrongHostFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for (text, reason) in [("node1 slots=x\n", "line 1"), ("# nothing\n", "no machine"), ("a slots=2 b", "line 1")]
        {
            try Data(text.utf8).write(to: URL(filePath: folder.file("hosts")))
            let refused = try run("hosts/run", [folder.file("hosts"), "--dry-run", "--", "info"])
            #expect(refused.status == 2 && refused.error.contains(reason), "\(text): \(refused.error)")
        }
        let absent = try run("hosts/run", [folder.file("absent"), "--", "info"])
        #expect(absent.status == 2 && absent.error.contains("absent"))
    }

    /// A Slurm of one program, which names the nodes.
    @Test func aSlurmJobBecomesOneLineOfMpirun() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let control = folder.file("scontrol")
        try Data("#!/bin/sh\nprintf 'n1\\nn2\\nn3\\n'\n".utf8).write(to: URL(filePath: control))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: control)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let environment = [
            "PATH": folder.path + ":" + path, "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-3]",
            "SLURM_TASKS_PER_NODE": "4(x2),3", "BATON_DRY_RUN": "1",
            "BATON_HOME": Self.launch.deletingLastPathComponent().path,
        ]
        let dry = try run("slurm/baton.sbatch", ["info", "--json"], environment: environment)
        #expect(dry.status == 0, "\(dry.error)")
        #expect(dry.output.contains(" mpirun -n 11 ") && dry.output.contains("--host n1:4\\,n2:4\\,n3:3 "))
        #expect(dry.output.contains("baton info --json"))
        let outside = try run("slurm/baton.sbatch", ["info"])
        #expect(outside.status == 2 && outside.error.contains("sbatch"))
    }

    @Test func runPrintsItsLine() throws {
        let one = try run("run", ["-n", "1", "--dry-run", "--", "info"])
        #expect(one.status == 0 && one.output.hasSuffix("/.build/release/baton info \n"))
        let two = try run("run", ["-n", "2", "--dry-run", "--", "info"])
        #expect(two.output.contains(" mpirun -n 2 ") && two.output.contains("--mca pml ob1"))
        let set = try run(
            "run", ["-n", "2", "--hosts", "a:1,b:1", "--dry-run", "--", "info"],
            environment: ["BATON_ISA": "avx2", "BATON_WAIT_LIMIT": "7"])
        #expect(set.output.contains(" -x BATON_ISA ") && set.output.contains(" -x BATON_WAIT_LIMIT "), "\(set.output)")
    }

    /// The printed line does what the script does.
    @Test func thePrintedLineRuns() throws {
        for ranks in ["1", "2"] {
            let dry = try run("run", ["-n", ranks, "--dry-run", "--", "info", "--json"])
            let printed = try BatonProcess(
                URL(filePath: "/bin/bash"), ["-c", dry.output],
                without: ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OPENBLAS_NUM_THREADS"])
            #expect(printed.status == 0, "\(printed.error)")
            #expect(try printed.json()["ranks"] as? Int == Int(ranks), "\(printed.output)")
        }
    }

    /// The numbers of closed streams went to files of mpirun's own, and a line break written there was signal 10 to it.
    @Test func closedStreamsAreOpenedBeforeMpirunStarts() throws {
        let folder = try TrainingFolder()
        defer { folder.remove() }
        let words = folder.train(out: "run").map { "'\($0)'" }.joined(separator: " ")
        let line = "exec \"$1\" -n 2 -- \(words) 0<&- 1>&- 2>&-"
        let run = try BatonProcess(
            URL(filePath: "/bin/sh"), ["-c", line, "sh", Self.launch.appending(path: "run").path],
            environment: ["OPENBLAS_NUM_THREADS": "1"])
        #expect(run.status == 0)
        #expect(try folder.bits("run").count == 21)
    }

    @Test func withoutRoomForTemporaryFilesMpirunIsNotStarted() throws {
        let refused = try run("run", ["-n", "2", "--", "info"], environment: ["TMPDIR": "/proc/absent"])
        #expect(refused.status == 1 && refused.output == "")
        #expect(refused.error.hasPrefix("launch/run: ") && refused.error.contains("/proc/absent; make room"))
        #expect(refused.error.filter { $0 == "\n" }.count == 1, "\(refused.error)")
    }
}
