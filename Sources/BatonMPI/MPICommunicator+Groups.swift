import BatonChecks
public import BatonComm
internal import COpenMPI

extension MPICommunicator {
    /// A group of the same ranks with messages of its own (`MPI_Comm_dup`, MPI 3.1 §6.4.2). Collective.
    public func duplicate() throws(CommError) -> any Communicator {
        // MPI's own call has no time limit: enter it only when every rank has come.
        try barrier()
        var result = baton_mpi_comm_null()
        try check.perform("MPI_Comm_dup", "rank \(rank) of \(size)") { MPI_Comm_dup(handle, &result) }
        return try adopt(result)
    }

    /// Cuts the group (`MPI_Comm_split`, MPI 3.1 §6.4.2); see `Communicator`. Collective.
    public func split(color: Int?, key: Int) throws(CommError) -> (any Communicator)? {
        require(
            (0...Int(Int32.max)).contains(color ?? 0),
            "MPICommunicator: expected a color from 0 to \(Int32.max), got \(color ?? 0)")
        try barrier()
        var result = baton_mpi_comm_null()
        try check.perform("MPI_Comm_split", "rank \(rank) of \(size), color \(color.map(String.init) ?? "none")") {
            MPI_Comm_split(handle, color.map { Int32($0) } ?? MPI_UNDEFINED, Int32(key), &result)
        }
        return result == baton_mpi_comm_null() ? nil : try adopt(result)
    }

    private func adopt(_ handle: MPI_Comm?) throws(CommError) -> MPICommunicator {
        guard let handle else { throw CommError(.transport, "MPI gave rank \(rank) no handle for a new group.") }
        // New groups inherit the error handler that returns errors (MPI 3.1 §8.3.1).
        let result = try MPICommunicator(handle, check: check, unmatched: unmatched, waitPolicy: waitPolicy)
        result.waitLimit = waitLimit
        return result
    }
}
