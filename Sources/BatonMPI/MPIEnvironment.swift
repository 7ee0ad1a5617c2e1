public import BatonComm
internal import COpenMPI

/// MPI in this process, from initialising to finalising (MPI 3.1 §8.7, §12.4).
///
/// It can be made only from a `LaunchEnvironment`, which exists only under `mpirun`: a process started alone never
/// enters MPI. Make one, once. Errors are returned, not fatal; they appear as `CommError`.
///
/// The process that ends without `finalize` makes `mpirun` end the job with a non-zero status. That is meant:
/// `finalize` says that all went well.
public final class MPIEnvironment {
    /// All processes of the job.
    public let world: MPICommunicator
    private let check = MPIStatusCheck()

    /// Initialises MPI for use by one thread at a time (`MPI_THREAD_SERIALIZED`). Collective over the job.
    ///
    /// - Throws: `CommError` when MPI is running already, refuses, offers less than it must (thread level, largest tag)
    ///   or numbers the processes otherwise than the launcher.
    public init(_ launch: LaunchEnvironment) throws(CommError) {
        let check = self.check
        let who = "rank \(launch.rank) starting"
        var initialized: Int32 = 0
        try check.perform("MPI_Initialized", who) { MPI_Initialized(&initialized) }
        if initialized != 0 {
            throw CommError(.invalid, "MPI was initialised twice in rank \(launch.rank); keep the first environment.")
        }
        // Serialized, not funneled: the thread that runs a rank may change, as it does under Swift Testing.
        let required = Int32(MPI_THREAD_SERIALIZED)
        var provided: Int32 = 0
        try check.perform("MPI_Init_thread", who) { MPI_Init_thread(nil, nil, required, &provided) }
        try check.perform("MPI_Comm_set_errhandler", who) {
            MPI_Comm_set_errhandler(baton_mpi_comm_world(), baton_mpi_errors_return())
        }
        try check.perform("MPI_Comm_set_errhandler", who) {
            MPI_Comm_set_errhandler(baton_mpi_comm_self(), baton_mpi_errors_return())
        }
        guard provided >= required else {
            throw CommError(
                .invalid,
                "this MPI offers thread level \(provided), \(required) is needed; use an MPI built with threads.")
        }
        let highestTag = try MPIEnvironment.highestTag(check, who)
        guard highestTag >= MessageTag.collectiveRange.upperBound - 1 else {
            throw CommError(
                .invalid,
                "this MPI carries tags up to \(highestTag), \(MessageTag.collectiveRange.upperBound - 1) are needed; "
                    + "choose another transport (mpirun --mca pml ob1).")
        }
        world = try MPICommunicator(
            baton_mpi_comm_world(), check: check, unmatched: UnmatchedReceives(),
            waitPolicy: .forRanks(launch.localSize))
        world.waitLimit = launch.waitLimit
        guard world.rank == launch.rank, world.size == launch.size else {
            throw CommError(
                .invalid,
                "the launcher calls this process rank \(launch.rank) of \(launch.size) but MPI calls it rank "
                    + "\(world.rank) of \(world.size); start it with the mpirun of the MPI it is linked with.")
        }
    }

    /// The largest tag a message can carry (attribute `MPI_TAG_UB`, MPI 3.1 §8.1.2).
    private static func highestTag(_ check: MPIStatusCheck, _ who: String) throws(CommError) -> Int {
        var address: UnsafeMutablePointer<Int32>?
        var found: Int32 = 0
        try check.perform("MPI_Comm_get_attr", who) {
            withUnsafeMutablePointer(to: &address) {
                MPI_Comm_get_attr(baton_mpi_comm_world(), Int32(MPI_TAG_UB), UnsafeMutableRawPointer($0), &found)
            }
        }
        guard found != 0, let address else { return 0 }
        return Int(address.pointee)
    }

    /// Ends MPI in this process after all went well. Collective: every rank must call it, with no request unfinished.
    ///
    /// - Throws: `CommError` when MPI refuses or is closed already. Source: MPI 3.1 §8.7.
    public func finalize() throws(CommError) {
        for window in check.windows {
            var window: MPI_Win? = window
            try check.perform("MPI_Win_free", "rank \(world.rank) finishing") { MPI_Win_free(&window) }
        }
        check.windows = []
        try check.perform("MPI_Finalize", "rank \(world.rank) finishing") { MPI_Finalize() }
        check.close(because: "rank \(world.rank) has finalised it.")
    }
}
