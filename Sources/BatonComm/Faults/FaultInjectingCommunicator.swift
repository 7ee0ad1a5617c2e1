/// A communicator that spoils chosen transfers of another one: for tests of everything that must survive, or at least
/// notice, a bad network. The collective operations run over the spoiled transfers.
public final class FaultInjectingCommunicator: Communicator {
    private let base: any Communicator
    private let plan: FaultPlan
    private let delayed = DelayedTransfers()
    /// Sends started so far.
    public private(set) var sendCount = 0
    /// Receives started so far.
    public private(set) var receiveCount = 0

    /// Wraps `base`; only transfers started through this object count and are spoiled.
    public init(_ base: any Communicator, plan: FaultPlan) {
        self.base = base
        self.plan = plan
    }

    /// The rank in the wrapped group.
    public var rank: Int { base.rank }
    /// The size of the wrapped group.
    public var size: Int { base.size }
    /// Those of the wrapped group.
    public var worldRanks: [Int] { base.worldRanks }
    /// The wrapped group's limit.
    public var waitLimit: Duration {
        get { base.waitLimit }
        set { base.waitLimit = newValue }
    }
    /// The wrapped group's policy.
    public var waitPolicy: WaitPolicy { base.waitPolicy }
    /// The wrapped group's count.
    public var collectiveCount: CollectiveCount { base.collectiveCount }

    /// Sends, unless the plan says otherwise.
    public func immediateSend(
        _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        sendCount += 1
        let purpose =
            "rank \(worldRanks[rank]) waits to send \(bytes.count) bytes to rank \(worldRanks[peer]) (tag \(tag))"
        switch plan.sends[sendCount] {
        case nil:
            return WatchedRequest(try base.immediateSend(bytes, to: peer, tag: tag), delayed: delayed)
        case .delay(let time):
            return DelayedRequest(time, purpose: purpose, waitPolicy: waitPolicy, delayed: delayed) {
                [base] () throws(CommError) in
                try base.immediateSend(bytes, to: peer, tag: tag)
            }
        case .drop:
            return LostRequest(isSend: true, purpose: purpose, waitPolicy: waitPolicy, delayed: delayed)
        case .corrupt(let place):
            return try CorruptedSend(bytes, place: place, delayed: delayed) { [base] (spoiled) throws(CommError) in
                try base.immediateSend(spoiled, to: peer, tag: tag)
            }
        case .fail:
            throw CommError(
                .injected, "send \(sendCount) of rank \(rank), to rank \(peer) (tag \(tag)), failed as ordered.")
        }
    }

    /// Receives, unless the plan says otherwise.
    public func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        receiveCount += 1
        let purpose =
            "rank \(worldRanks[rank]) waits for \(bytes.count) bytes from rank \(worldRanks[peer]) (tag \(tag))"
        switch plan.receives[receiveCount] {
        case nil:
            return WatchedRequest(
                try base.immediateReceive(into: bytes, from: peer, tag: tag), delayed: delayed)
        case .delay(let time):
            return DelayedRequest(time, purpose: purpose, waitPolicy: waitPolicy, delayed: delayed) {
                [base] () throws(CommError) in
                try base.immediateReceive(into: bytes, from: peer, tag: tag)
            }
        case .drop:
            return LostRequest(isSend: false, purpose: purpose, waitPolicy: waitPolicy, delayed: delayed)
        case .corrupt:
            fatalError("FaultPlan: a receive cannot be corrupted")
        case .fail:
            throw CommError(
                .injected, "receive \(receiveCount) of rank \(rank), from rank \(peer) (tag \(tag)), failed as ordered."
            )
        }
    }

    /// A duplicate of the wrapped group, without faults.
    public func duplicate() throws(CommError) -> any Communicator { try base.duplicate() }

    /// A part of the wrapped group, without faults.
    public func split(color: Int?, key: Int) throws(CommError) -> (any Communicator)? {
        try base.split(color: color, key: key)
    }

    /// Memory of the wrapped group, without faults.
    public func sharedMemory(byteCount: Int) throws(CommError) -> SharedMemory {
        try base.sharedMemory(byteCount: byteCount)
    }

    /// That of the wrapped group.
    public var sharedRoom: Int? { base.sharedRoom }

    /// Aborts the wrapped group.
    public func abort(code: Int32) -> Never { base.abort(code: code) }
}
