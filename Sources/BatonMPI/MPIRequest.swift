internal import BatonComm
internal import COpenMPI

/// One MPI transfer under way (MPI 3.1 §3.7).
final class MPIRequest: Request {
    enum Side { case send, receive }

    private var handle: MPI_Request?
    private let side: Side
    private let byteCount: Int
    private let peer: Int
    private let tag: Int
    private let rank: Int
    private let check: MPIStatusCheck
    private var isFinished = false
    private var failure: CommError?
    let waitPolicy: WaitPolicy

    init(
        _ handle: MPI_Request?, _ side: Side, byteCount: Int, peer: Int, tag: Int, of communicator: MPICommunicator
    ) {
        self.handle = handle
        self.side = side
        self.byteCount = byteCount
        self.peer = peer
        self.tag = tag
        rank = communicator.rank
        check = communicator.check
        waitPolicy = communicator.waitPolicy
    }

    var purpose: String {
        switch side {
        case .send: "rank \(rank) waits to send \(byteCount) bytes to rank \(peer) (tag \(tag))"
        case .receive: "rank \(rank) waits for \(byteCount) bytes from rank \(peer) (tag \(tag))"
        }
    }

    /// `MPI_Test`, MPI 3.1 §3.7.3, and the length of what came, §3.2.5.
    func test() throws(CommError) -> Bool {
        if isFinished { return true }
        if let failure { throw failure }
        var done: Int32 = 0
        var status = MPI_Status()
        do {
            try check.perform("MPI_Test", purpose) { MPI_Test(&handle, &done, &status) }
            guard done != 0 else { return false }
            if side == .receive { try checkCount(&status) }
        } catch {
            if error.kind == .closed { throw error }
            // A request that MPI has not given back may still hold the buffer.
            if handle != baton_mpi_request_null() { check.close(because: error.message) }
            failure = error.code.map(MPIStatusCheck.errorClass) == MPI_ERR_TRUNCATE
                ? .countMismatch(expected: byteCount, got: nil, from: peer, to: rank, tag: tag) : error
            throw failure ?? error
        }
        isFinished = true
        return true
    }

    private func checkCount(_ status: inout MPI_Status) throws(CommError) {
        var count: Int32 = 0
        try check.perform("MPI_Get_count", purpose) { MPI_Get_count(&status, baton_mpi_byte(), &count) }
        if Int(count) != byteCount {
            throw .countMismatch(expected: byteCount, got: Int(count), from: peer, to: rank, tag: tag)
        }
    }

    /// Never leaves MPI with a borrowed buffer: see `MPICommunicator`.
    deinit {
        guard !isFinished, failure == nil, check.closedBecause == nil else { return }
        if !withdraw() { check.close(because: "a transfer was dropped before it had finished (\(purpose)).") }
    }

    /// Tries to end the transfer at once: it may have finished unnoticed, and a receive that has met no message can be
    /// cancelled (MPI 3.1 §3.8.4). True if MPI holds the buffer no longer.
    private func withdraw() -> Bool {
        var done: Int32 = 0
        guard MPI_Test(&handle, &done, baton_mpi_status_ignore()) == MPI_SUCCESS else { return false }
        if done != 0 { return true }
        guard side == .receive, MPI_Cancel(&handle) == MPI_SUCCESS,
            MPI_Test(&handle, &done, baton_mpi_status_ignore()) == MPI_SUCCESS
        else { return false }
        return done != 0
    }
}
