import Baton
import BatonChecks
import Foundation

/// Starts this program again on several ranks of this machine.
enum RankLauncher {
    /// Runs a command, and ends it when this shell is asked to stop: mpirun cleans up after its ranks, but one that is asked
    /// while it starts them may wait in its handler for ever, and then ranks end a second after it was killed.
    private static let leash = """
        "$@" & job=$!
        trap 'trap "" TERM; kill -TERM $job; (sleep 5; kill -KILL $job) 2>/dev/null & late=$!
              wait $job; kill -KILL $late 2>/dev/null; exit 143' TERM
        wait $job
        """

    /// Runs `mpirun` with the program's own arguments, and some more, and waits.
    ///
    /// More ranks than cores are allowed, so no rank is bound and a waiting one gives way. The transport is that of
    /// `launch/run`, which says why; an installed program has no `launch/` beside it. Where util-linux is
    /// installed, the job ends when this process is ended, however that happens.
    ///
    /// - Throws: `CommandFailure` with what the ranks wrote to standard error, if they fail.
    static func run(ranks: Int, adding more: [String] = []) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // Foundation starts a process in a group of its own, which an interrupt from the terminal does not reach, and a
        // signal that ends only this process never did.
        let leash =
            access("/usr/bin/setpriv", X_OK) == 0
            ? ["/usr/bin/setpriv", "--pdeathsig", "TERM", "/bin/sh", "-c", Self.leash, "leash"] : []
        process.arguments =
            leash + [
                "mpirun", "-n", String(ranks), "--quiet", "--oversubscribe", "--bind-to", "none",
                "--mca", "mpi_yield_when_idle", "1", "--mca", "pml", "ob1", "--mca", "btl", "self,vader,tcp",
                "--mca", "btl_vader_single_copy_mechanism", "none", program,
            ] + CommandLine.arguments.dropFirst() + more
        var environment = ProcessInfo.processInfo.environment
        environment["OPENBLAS_NUM_THREADS"] = "1"
        if getuid() == 0 {
            environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
            environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        }
        process.environment = environment
        // mpirun does not mind output that nobody takes; this process does.
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        // What this process was started with blocked, as the threads of Foundation have it, mpirun would not heed either.
        var signals = sigset_t()
        sigemptyset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        try process.run()
        let printing = DispatchQueue(label: "output of the ranks")
        printing.async { [output] in
            while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
                Console.write(Array(data))
            }
        }
        let error = errors.fileHandleForReading.readDataToEndOfFile()
        printing.sync {}
        process.waitUntilExit()
        // As `env` and `setpriv` say that there is no such program.
        guard process.terminationStatus != 127 else {
            throw CommandFailure("mpirun cannot be started; install Open MPI with launch/setup.")
        }
        guard process.terminationStatus == 0 else {
            let words = String(decoding: error, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw CommandFailure("The job of \(counted(ranks, "rank")) failed: \(words)")
        }
    }
}
