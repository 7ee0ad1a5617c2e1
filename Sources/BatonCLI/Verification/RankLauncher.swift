import Baton
import Foundation

/// Starts this program again on several ranks of this machine.
enum RankLauncher {
    /// Runs `mpirun` with the program's own arguments and waits.
    ///
    /// More ranks than cores are allowed, so no rank is bound and a waiting one gives way.
    ///
    /// - Returns: the exit status and what was written to standard error.
    static func run(ranks: Int, _ arguments: [String]) throws -> (status: Int32, error: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.arguments =
            [
                "mpirun", "-n", String(ranks), "--quiet", "--oversubscribe", "--bind-to", "none",
                "--mca", "mpi_yield_when_idle", "1", "--mca", "pml", "ob1", "--mca", "btl", "self,vader,tcp",
                "--mca", "btl_vader_single_copy_mechanism", "none", program,
            ] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["OPENBLAS_NUM_THREADS"] = "1"
        if getuid() == 0 {
            environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
            environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        }
        process.environment = environment
        let pipe = Pipe()
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch {
            throw CommandFailure("mpirun cannot be started; install Open MPI with launch/setup.")
        }
        let error = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: error, as: UTF8.self))
    }
}
