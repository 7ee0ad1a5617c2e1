import BatonChecks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The group of one process. It never touches MPI.
///
/// Sends to the own rank work: send and receive of equal tag meet in the order they were started, the bytes are copied
/// when both are there, and neither finishes before. A request that is dropped unfinished withdraws its transfer.
public final class SelfCommunicator: Communicator {
    /// Always 0.
    public let rank = 0
    /// Always 1.
    public let size = 1
    /// Limit of waits for the own rank; a wait that cannot be satisfied would otherwise never end.
    public var waitLimit: Duration = .seconds(120)
    /// Spinning: there is nobody to yield to.
    public let waitPolicy: WaitPolicy = .spinning
    /// Collective operations begun.
    public let collectiveCount = CollectiveCount()
    private let mailbox = SelfMailbox()

    /// A group of its own; messages of two `SelfCommunicator`s never meet.
    public init() {}

    /// See `Communicator`.
    public func immediateSend(
        _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try checkTransfer(byteCount: bytes.count, peer: peer, tag: tag)
        let request = SelfRequest(.send(bytes), tag: tag, mailbox: mailbox)
        mailbox.add(request)
        return request
    }

    /// See `Communicator`.
    public func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try checkTransfer(byteCount: bytes.count, peer: peer, tag: tag)
        let request = SelfRequest(.receive(bytes), tag: tag, mailbox: mailbox)
        mailbox.add(request)
        return request
    }

    /// A new group of one.
    public func duplicate() throws(CommError) -> any Communicator { SelfCommunicator() }

    /// A new group of one, or nil when `color` is nil.
    public func split(color: Int?, key: Int) throws(CommError) -> (any Communicator)? {
        color == nil ? nil : SelfCommunicator()
    }

    /// Memory of this process.
    public func sharedMemory(byteCount: Int) throws(CommError) -> SharedMemory { .ofOneProcess(byteCount: byteCount) }

    /// It is this process' own.
    public var sharedRoom: Int? { nil }

    /// Ends this process.
    ///
    /// - Parameter code: Exit status, 1 ... 255.
    public func abort(code: Int32) -> Never {
        require(1...255 ~= code, "Communicator: exit status \(code) of an abort is not in 1...255")
        exit(code)
    }
}

/// The unmatched transfers of one group of one process, in the order they were started.
private final class SelfMailbox {
    private struct Entry { weak var request: SelfRequest? }
    private var waiting: [Int: [Entry]] = [:]

    /// Pairs the transfer with the oldest opposite one of the same tag, or keeps it.
    func add(_ request: SelfRequest) {
        var queue = (waiting[request.tag] ?? []).filter { $0.request != nil }
        // A queue only ever holds one kind: an opposite pair leaves it at once.
        if let oldest = queue.first?.request, oldest.isSend != request.isSend {
            queue.removeFirst()
            request.exchange(with: oldest)
        } else {
            queue.append(Entry(request: request))
        }
        waiting[request.tag] = queue.isEmpty ? nil : queue
    }
}

/// One half of a transfer to oneself.
private final class SelfRequest: Request {
    enum Side {
        case send(UnsafeRawBufferPointer)
        case receive(UnsafeMutableRawBufferPointer)
    }

    let tag: Int
    private let side: Side
    private var outcome: Result<Void, CommError>?
    // Keeps the mailbox, and with it unmatched partners, alive as long as a request may need it.
    private let mailbox: SelfMailbox

    init(_ side: Side, tag: Int, mailbox: SelfMailbox) {
        self.side = side
        self.tag = tag
        self.mailbox = mailbox
    }

    var isSend: Bool { if case .send = side { true } else { false } }

    var waitPolicy: WaitPolicy { .spinning }

    var purpose: String {
        switch side {
        case .send(let bytes): "rank 0 waits to send \(bytes.count) bytes to itself (tag \(tag))"
        case .receive(let bytes): "rank 0 waits for \(bytes.count) bytes from itself (tag \(tag))"
        }
    }

    func test() throws(CommError) -> Bool {
        guard let outcome else { return false }
        try outcome.get()
        return true
    }

    func exchange(with other: SelfRequest) {
        switch (side, other.side) {
        case (.send(let source), .receive(let target)): SelfRequest.copy(source, target, self, other)
        case (.receive(let target), .send(let source)): SelfRequest.copy(source, target, other, self)
        default: fatalError("SelfCommunicator: two transfers of the same side met")
        }
    }

    private static func copy(
        _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ sender: SelfRequest,
        _ receiver: SelfRequest
    ) {
        sender.outcome = .success(())
        if source.count == target.count {
            target.copyMemory(from: source)
            receiver.outcome = .success(())
        } else {
            receiver.outcome = .failure(
                CommError.countMismatch(expected: target.count, got: source.count, from: 0, to: 0, tag: receiver.tag))
        }
    }
}
