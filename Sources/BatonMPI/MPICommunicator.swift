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
    /// The group's ranks in the world (MPI 3.1 §6.3.1).
    public let worldRanks: [Int]
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
        worldRanks = try MPICommunicator.worldRanks(of: handle, size: size, check)
        self.waitPolicy = waitPolicy
    }

    private static func worldRanks(
        of handle: MPI_Comm, size: Int32, _ check: MPIStatusCheck
    ) throws(CommError) -> [Int] {
        var (own, world): (MPI_Group?, MPI_Group?) = (nil, nil)
        try check.perform("MPI_Comm_group", "a new group") { MPI_Comm_group(handle, &own) }
        try check.perform("MPI_Comm_group", "the world") { MPI_Comm_group(baton_mpi_comm_world(), &world) }
        let ranks = Array(0..<size)
        var found = ranks
        try check.perform("MPI_Group_translate_ranks", "a new group") {
            MPI_Group_translate_ranks(own, size, ranks, world, &found)
        }
        try check.perform("MPI_Group_free", "a new group") { MPI_Group_free(&own) }
        try check.perform("MPI_Group_free", "the world") { MPI_Group_free(&world) }
        return found.map { Int($0) }
    }
}
