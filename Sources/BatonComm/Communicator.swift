import BatonChecks

/// A group of processes that exchange bytes: `size` ranks numbered from 0.
///
/// Implementations supply point-to-point transfers; the collective operations are written once, over those, in
/// `Communicator+Collectives.swift`, so every communicator has the same checks, time limits and messages.
///
/// Not Sendable: a communicator, its requests and the buffers they borrow stay on one thread at a time.
public protocol Communicator: AnyObject {
    /// This process' number, 0 ..< `size`.
    var rank: Int { get }
    /// Number of processes in the group.
    var size: Int { get }
    /// The ranks of the group in the whole job, by which messages name them.
    var worldRanks: [Int] { get }
    /// How long collective operations wait for a peer before they throw. 120 s unless set.
    var waitLimit: Duration { get set }
    /// How this process waits. See `WaitPolicy`.
    var waitPolicy: WaitPolicy { get }
    /// Counts the collective operations of this group; part of their message tags.
    var collectiveCount: CollectiveCount { get }

    /// Starts sending bytes to `peer` and returns at once. Not collective.
    ///
    /// - Parameters:
    ///   - bytes: Borrowed: the memory must stay alive, in place and unchanged until the request has finished.
    ///     (Never pass the pointer of a `withUnsafeBytes` closure that ends before.) May be empty.
    ///   - peer: Rank of the receiver; the own rank is allowed, and finishes when the own receive has been posted.
    ///   - tag: Distinguishes messages between the same two ranks; see `MessageTag`. Messages of equal tag between
    ///     two ranks arrive in the order they were sent.
    /// - Throws: `CommError` when the transport refuses, or the message exceeds `MessageTag.byteLimit`.
    func immediateSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws(CommError) -> any Request

    /// Starts receiving exactly `bytes.count` bytes from `peer` and returns at once. Not collective.
    ///
    /// - Parameter bytes: Borrowed: the memory must stay alive and in place, and must not be read, until the request
    ///   has finished. A message of another length makes `test` or `wait` throw `CommError.Kind.countMismatch`.
    /// - Throws: as `immediateSend`.
    func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request

    /// A group of the same ranks whose messages never meet those of this one. Collective.
    ///
    /// - Throws: `CommError` of the transport.
    func duplicate() throws(CommError) -> any Communicator

    /// Cuts the group into groups of equal `color`, ranked by `key`, then by rank in this group. Collective.
    ///
    /// - Parameter color: At least 0; nil to belong to no group (the result is then nil).
    /// - Throws: `CommError` of the transport.
    func split(color: Int?, key: Int) throws(CommError) -> (any Communicator)?

    /// Memory of at least so many bytes that every process of the group sees, zero at first. Collective.
    ///
    /// The communicator keeps it until it is closed, also when all processes have let go of it: take it rarely, through
    /// a `SharedWorkspace`.
    ///
    /// - Throws: `CommError` of kind `invalid` if the processes are not all on one machine, naming the machines; on
    ///   every rank alike.
    func sharedMemory(byteCount: Int) throws(CommError) -> SharedMemory

    /// Bytes that the machine of this process has left for `sharedMemory`; nil if that cannot be told. Not collective.
    var sharedRoom: Int? { get }

    /// Ends every process of the job, this one included, with a non-zero exit status. Not collective.
    ///
    /// - Parameter code: Exit status, 1 ... 255.
    func abort(code: Int32) -> Never
}

/// Message tags: which numbers callers may use and which belong to the collective operations.
///
/// The highest tag used is below 2²², so every transport of Open MPI (the tightest, UCX, ends at 2²³) can carry it.
public enum MessageTag {
    /// Tags free for callers of `immediateSend` and `immediateReceive`.
    public static let userRange = 0..<1 << 20
    /// Tags of the collective operations.
    public static let collectiveRange = 1 << 20..<1 << 22
    /// Longest single message in bytes (MPI counts are 32-bit signed, MPI 3.1 §3.2.2).
    public static let byteLimit = Int(Int32.max)
}

/// Counts the collective operations one group has begun, so that each has a tag of its own: what is left of one that
/// failed never meets a later one.
///
/// A rank that skipped or repeated an operation is a number behind or ahead of the others. It waits for messages that
/// nobody sends, or, where the others do the same kind of operation at its number, meets theirs, which are refused if
/// their length differs; the errors say the number.
public final class CollectiveCount {
    /// Operations begun so far.
    public private(set) var begun = 0

    /// Starts at zero on every rank of a new group.
    public init() {}

    /// The tag of the next operation, which no other operation has: messages of different ones never pair. Tags repeat
    /// after 2²⁰ operations.
    func nextTag(_ operation: CollectiveOperation) -> Int {
        defer { begun += 1 }
        let number = begun * CollectiveOperation.allCases.count + operation.rawValue
        return MessageTag.collectiveRange.lowerBound + number % MessageTag.collectiveRange.count
    }
}

/// What the ranks of a group do together.
enum CollectiveOperation: Int, CaseIterable {
    case barrier, broadcast, allGather

    /// As errors name it.
    var name: String { self == .allGather ? "all-gather" : "\(self)" }
}

extension Communicator {
    /// A group that is the whole job.
    public var worldRanks: [Int] { Array(0..<size) }

    /// Refuses impossible peers, tags and lengths before the transport sees them.
    ///
    /// - Throws: `CommError` for a message over the byte limit, which depends on the model a user asked for.
    /// - Precondition: `peer` is a rank of the group and `tag` is a legal tag.
    public func checkTransfer(byteCount: Int, peer: Int, tag: Int) throws(CommError) {
        require(peer >= 0 && peer < size, "Communicator: peer \(peer) is not one of the \(size) ranks")
        require(
            tag >= 0 && tag < MessageTag.collectiveRange.upperBound, "Communicator: tag \(tag) is out of range")
        if byteCount > MessageTag.byteLimit {
            throw CommError(
                .invalid,
                "rank \(rank) cannot exchange \(byteCount) bytes with rank \(peer) in one message of at most "
                    + "\(MessageTag.byteLimit) bytes; cut it into parts.")
        }
    }
}
