import BatonChecks
internal import COpenMPI

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

extension MPICommunicator {
    /// Ends every process of the job, whichever group this is (`MPI_Abort`, MPI 3.1 §8.7). Not collective; never hangs.
    ///
    /// - Parameter code: Exit status of this process and of `mpirun`, 1 ... 255.
    public func abort(code: Int32) -> Never {
        require(1...255 ~= code, "Communicator: exit status \(code) of an abort is not in 1...255")
        // What was printed must leave before the processes are killed.
        fflush(nil)
        var finalized: Int32 = 0
        if MPI_Finalized(&finalized) == MPI_SUCCESS, finalized == 0 {
            // Does not return when it works; if it does, leaving without finalising ends the job too.
            _ = MPI_Abort(baton_mpi_comm_world(), code)
        }
        _exit(code)
    }
}
