/// What the processes that divide one computation inside a machine work with: blocks of memory they all see, and
/// meetings. One per group.
///
/// Blocks are used again: a block that every process has let go of is given out before new memory is asked for, so
/// in the steady state none is.
public final class SharedWorkspace {
    /// The processes.
    public let group: any Communicator
    private let barrier: SharedBarrier
    private var memories: [SharedMemory] = []
    private var isFree: [Bool] = []

    /// Sets up a group. Collective.
    ///
    /// - Throws: `CommError` if the processes are not all on one machine, or of the transport.
    public init(_ group: any Communicator) throws(CommError) {
        self.group = group
        barrier = SharedBarrier(
            try group.sharedMemory(byteCount: group.size * SharedBarrier.bytesPerProcess), group: group)
    }

    /// This process' number among those of the group.
    public var rank: Int { group.rank }
    /// Processes of the group.
    public var size: Int { group.size }
    /// Blocks there are, free ones included.
    public var blockCount: Int { memories.count }

    /// Returns when every process of the group has come; what each wrote before, the others see afterwards. Collective.
    ///
    /// - Parameter poll: called while a process is late: it may be waiting for a message of this one.
    /// - Throws: `CommError` of kind `timeout` naming the first process that is late after the group's `waitLimit`, or
    ///   what `poll` throws.
    public func meet(poll: () throws(CommError) -> Void = {}) throws(CommError) { try barrier.meet(poll: poll) }

    /// Bytes of a new block for so many: at least 64 KiB, four sizes per power of two, so that blocks of about the same
    /// size can stand in for each other.
    public static func capacity(_ byteCount: Int) -> Int {
        var power = 1 << 16
        while 2 * power < byteCount { power *= 2 }
        let quarter = power / 4
        return max(power, (byteCount + quarter - 1) / quarter * quarter)
    }

    /// A block of at least so many bytes, of unspecified content. Collective.
    ///
    /// - Throws: `CommError` of kind `disagreement` if the processes ask for different sizes, of kind `invalid` if too
    ///   many blocks are held, or of the transport.
    public func block(byteCount: Int, poll: () throws(CommError) -> Void = {}) throws(CommError) -> SharedBlock {
        // Processes may let go of a block at different times: a block is free when it is for all.
        let fitting = memories.indices.filter { isFree[$0] && memories[$0].bytes.count >= byteCount }
        try barrier.meet(telling: (fitting.reduce(0) { $0 | 1 << UInt64($1) }, UInt64(byteCount)), poll: poll)
        var common = UInt64.max
        for peer in 0..<size {
            let (free, wanted) = barrier.values(of: peer)
            guard wanted == byteCount else {
                throw CommError(
                    .disagreement,
                    "rank \(rank) takes \(byteCount) shared bytes where rank \(peer) takes \(wanted): the ranks are in different places of the program."
                )
            }
            common &= free
        }
        let usable = fitting.filter { common & 1 << UInt64($0) != 0 }
        let chosen = usable.min { memories[$0].bytes.count < memories[$1].bytes.count } ?? memories.count
        if chosen == memories.count {
            guard chosen < UInt64.bitWidth else {
                throw CommError(
                    .invalid,
                    "\(chosen) blocks of shared memory are held at once, the most there may be; let go of outputs earlier."
                )
            }
            memories.append(try group.sharedMemory(byteCount: Self.capacity(byteCount)))
            isFree.append(false)
        }
        isFree[chosen] = false
        return SharedBlock(memories[chosen].bytes, number: chosen, of: self)
    }

    fileprivate func release(_ number: Int) { isFree[number] = true }
}

/// Memory taken from a `SharedWorkspace`, given back when this process lets go of it.
public final class SharedBlock {
    /// The memory, at an address that is a multiple of 64.
    public let bytes: UnsafeMutableRawBufferPointer
    private let number: Int
    private let workspace: SharedWorkspace

    fileprivate init(_ bytes: UnsafeMutableRawBufferPointer, number: Int, of workspace: SharedWorkspace) {
        self.bytes = bytes
        self.number = number
        self.workspace = workspace
    }

    deinit { workspace.release(number) }
}
