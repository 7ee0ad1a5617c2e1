internal import BatonComm
internal import COpenMPI

/// A receive: first it waits for a message of its sender and tag, then it looks at the length, then it takes the bytes.
final class MPIReceive: Request {
    private enum State {
        case unmatched
        case taking(MPITransfer)
        /// A message of wrong length goes to memory of its own, so that its sender can finish.
        case discarding(MPITransfer, UnsafeMutableRawBufferPointer)
        case finished
        case failed(CommError)
    }

    private var state = State.unmatched
    private let bytes: UnsafeMutableRawBufferPointer
    private let peer: Int
    private let tag: Int
    /// The own rank and the peer's, in the world.
    private let names: (own: Int, peer: Int)
    private let handle: MPI_Comm
    private let check: MPIStatusCheck
    private let unmatched: UnmatchedReceives
    let waitPolicy: WaitPolicy

    init(into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int, of communicator: MPICommunicator) {
        self.bytes = bytes
        self.peer = peer
        self.tag = tag
        names = (communicator.worldRanks[communicator.rank], communicator.worldRanks[peer])
        handle = communicator.handle
        check = communicator.check
        unmatched = communicator.unmatched
        waitPolicy = communicator.waitPolicy
    }

    /// Never leaves MPI with a borrowed buffer: see `MPICommunicator`.
    deinit {
        switch state {
        case .unmatched: unmatched.remove(self)
        case .taking(var transfer): _ = transfer.abandon(purpose)
        case .discarding(var transfer, let memory): if transfer.abandon(purpose) { memory.deallocate() }
        case .finished, .failed: break
        }
    }

    var purpose: String { "rank \(names.own) waits for \(bytes.count) bytes from rank \(names.peer) (tag \(tag))" }

    func test() throws(CommError) -> Bool {
        let isDone = try advance()
        if !isDone { unmatched.matchNext() }
        return isDone
    }

    private func advance() throws(CommError) -> Bool {
        if case .unmatched = state { match() }
        switch state {
        case .unmatched: return false
        case .finished: return true
        case .failed(let error): throw error
        case .taking(var transfer):
            guard try transfer.test(purpose) else {
                state = .taking(transfer)
                return false
            }
            state = .finished
            return true
        case .discarding(var transfer, let memory):
            guard try transfer.test(purpose) else {
                state = .discarding(transfer, memory)
                return false
            }
            let error = CommError.countMismatch(
                expected: bytes.count, got: memory.count, from: names.peer, to: names.own, tag: tag)
            memory.deallocate()
            state = .failed(error)
            throw error
        }
    }

    /// Lets the receives of this sender and tag that were started before this one, and then this one, meet their
    /// messages, as far as those have come. A receive that fails keeps the error for its next `test`.
    func match() {
        while let oldest = unmatched.oldest(like: self) {
            do throws(CommError) {
                guard try oldest.probe() else { return }
            } catch {
                oldest.state = .failed(error)
            }
            unmatched.remove(oldest)
            if oldest === self { return }
        }
    }

    /// Whether messages for the other receive could meet this one.
    func competes(with other: MPIReceive) -> Bool {
        peer == other.peer && tag == other.tag && handle == other.handle
    }

    /// Takes the next message of the sender and tag if there is one (MPI 3.1 §3.8.2–3).
    private func probe() throws(CommError) -> Bool {
        var found: Int32 = 0
        var message = baton_mpi_message_null()
        var status = MPI_Status()
        try check.perform("MPI_Improbe", purpose) {
            MPI_Improbe(Int32(peer), Int32(tag), handle, &found, &message, &status)
        }
        guard found != 0 else { return false }
        var count: Int32 = 0
        try check.perform("MPI_Get_count", purpose) { MPI_Get_count(&status, baton_mpi_byte(), &count) }
        let isExpected = Int(count) == bytes.count
        let target = isExpected ? bytes : .allocate(byteCount: Int(count), alignment: 16)
        var request = baton_mpi_request_null()
        try check.perform("MPI_Imrecv", purpose) {
            MPI_Imrecv(target.baseAddress, count, baton_mpi_byte(), &message, &request)
        }
        let transfer = MPITransfer(request, check: check)
        state = isExpected ? .taking(transfer) : .discarding(transfer, target)
        return true
    }
}
