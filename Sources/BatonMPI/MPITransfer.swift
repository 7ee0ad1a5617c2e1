internal import BatonComm
internal import COpenMPI

/// An MPI request that holds a borrowed buffer until it has finished (MPI 3.1 §3.7).
struct MPITransfer {
    private var handle: MPI_Request?
    private let check: MPIStatusCheck
    private(set) var isFinished = false

    init(_ handle: MPI_Request?, check: MPIStatusCheck) {
        self.handle = handle
        self.check = check
    }

    /// `MPI_Test`, MPI 3.1 §3.7.3.
    mutating func test(_ purpose: @autoclosure () -> String) throws(CommError) -> Bool {
        if isFinished { return true }
        var done: Int32 = 0
        do {
            try check.perform("MPI_Test", purpose()) { MPI_Test(&handle, &done, baton_mpi_status_ignore()) }
        } catch {
            // Whether MPI still holds the buffer is unknown: it must not be entered again.
            check.close(because: error.message)
            throw error
        }
        isFinished = done != 0
        return isFinished
    }

    /// For owners that go away: closes MPI if it still holds the buffer. True if the memory is free.
    mutating func abandon(_ purpose: @autoclosure () -> String) -> Bool {
        if isFinished { return true }
        guard check.closedBecause == nil else { return false }
        var done: Int32 = 0
        if MPI_Test(&handle, &done, baton_mpi_status_ignore()) == MPI_SUCCESS, done != 0 { return true }
        check.close(because: "a transfer was dropped before it had finished (\(purpose())).")
        return false
    }
}

/// A send under way.
final class MPISend: Request {
    private var transfer: MPITransfer
    private let byteCount: Int
    private let tag: Int
    /// The own rank and the peer's, in the world.
    private let names: (own: Int, peer: Int)
    private let unmatched: UnmatchedReceives
    let waitPolicy: WaitPolicy

    init(_ handle: MPI_Request?, byteCount: Int, to peer: Int, tag: Int, of communicator: MPICommunicator) {
        transfer = MPITransfer(handle, check: communicator.check)
        self.byteCount = byteCount
        self.tag = tag
        names = (communicator.worldRanks[communicator.rank], communicator.worldRanks[peer])
        unmatched = communicator.unmatched
        waitPolicy = communicator.waitPolicy
    }

    /// Never leaves MPI with a borrowed buffer: see `MPICommunicator`.
    deinit { _ = transfer.abandon(purpose) }

    var purpose: String { "rank \(names.own) waits to send \(byteCount) bytes to rank \(names.peer) (tag \(tag))" }

    func test() throws(CommError) -> Bool {
        let isDone = try transfer.test(purpose)
        if !isDone { unmatched.matchNext() }
        return isDone
    }
}
