public import BatonComm
internal import COpenMPI

/// A group of MPI processes. Point-to-point transfers, groups and abort are in the extensions named after MPI's
/// chapters; collective operations come with `Communicator`.
///
/// Requests borrow their buffers, and MPI touches a buffer only between the match of its message and the end of the
/// transfer, and only while this process is inside an MPI call. So a request that is dropped unfinished is made safe
/// like this: a receive that no message has met is forgotten; any other transfer closes MPI for the process, and from
/// then on every call throws a `CommError` of kind `closed` that names the dropped transfer, until the process aborts.
public final class MPICommunicator: Communicator {
    let handle: MPI_Comm
    let check: MPIStatusCheck
    let unmatched: UnmatchedReceives

    /// This process' number in the group (MPI 3.1 §6.4.1).
    public let rank: Int
    /// Number of processes in the group (MPI 3.1 §6.4.1).
    public let size: Int
    /// Limit of each wait inside a collective operation.
    public var waitLimit: Duration = .seconds(120)
    /// Yields when there are more ranks on this machine than cores.
    public let waitPolicy: WaitPolicy
    /// Collective operations begun on this group.
    public let collectiveCount = CollectiveCount()

    init(
        _ handle: MPI_Comm, check: MPIStatusCheck, unmatched: UnmatchedReceives, waitPolicy: WaitPolicy
    ) throws(CommError) {
        var rank: Int32 = 0
        var size: Int32 = 0
        try check.perform("MPI_Comm_rank", "a new group") { MPI_Comm_rank(handle, &rank) }
        try check.perform("MPI_Comm_size", "a new group") { MPI_Comm_size(handle, &size) }
        self.handle = handle
        self.check = check
        self.unmatched = unmatched
        self.rank = Int(rank)
        self.size = Int(size)
        self.waitPolicy = waitPolicy
    }
}
