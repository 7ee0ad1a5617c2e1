internal import CProcessor
internal import Synchronization

/// Where the processes of a group meet after every time step: a counter each, on a cache line of its own, in memory
/// they share. A meeting of processes that are all there costs a fraction of a microsecond.
///
/// What a process wrote before a meeting, the others see after it.
final class SharedBarrier {
    /// Bytes every process needs in the shared memory: one cache line.
    static let bytesPerProcess = 64

    private let memory: SharedMemory
    private let first: UnsafeMutablePointer<Atomic<UInt64>>
    private let group: any Communicator
    private let rank: Int
    private let size: Int
    /// Meetings this process has come to.
    private var count: UInt64 = 0

    /// Looks at the counter of a late process, with a pause of the processor (about 20 ns) between two, before anything
    /// else is done meanwhile.
    private static let looksBeforePolling = 500

    /// The barrier of a group; the memory is its own.
    ///
    /// - Parameter memory: shared by the group, `bytesPerProcess` for every process, zero.
    init(_ memory: SharedMemory, group: any Communicator) {
        guard let base = memory.bytes.baseAddress, memory.bytes.count >= group.size * Self.bytesPerProcess else {
            fatalError(
                "SharedBarrier: \(memory.bytes.count) bytes for \(group.size) processes; each needs \(Self.bytesPerProcess)"
            )
        }
        self.memory = memory
        self.group = group
        (rank, size) = (group.rank, group.size)
        first = base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Returns when every process of the group has come, or throws when one has not within the group's `waitLimit`.
    /// Collective.
    ///
    /// - Parameters:
    ///   - values: told to the others, see `values(of:)`.
    ///   - poll: called while a process is late, at once and then now and then: it may be waiting for a message of this
    ///     one.
    /// - Throws: `CommError` of kind `timeout` naming the first process that is late, or what `poll` throws.
    func meet(
        telling values: (UInt64, UInt64)? = nil, poll: () throws(CommError) -> Void = {}
    ) throws(CommError) {
        count += 1
        if let values {
            place(valuePlace, of: rank).pointee.store(values.0, ordering: .relaxed)
            place(valuePlace + 1, of: rank).pointee.store(values.1, ordering: .relaxed)
        }
        place(0, of: rank).pointee.store(count, ordering: .releasing)
        var hasPolled = false
        for peer in 0..<size where peer != rank {
            var looks = 0
            while place(0, of: peer).pointee.load(ordering: .acquiring) < count {
                if !hasPolled {
                    try poll()
                    hasPolled = true
                }
                looks += 1
                if looks > Self.looksBeforePolling { return try wait(from: peer, poll) }
                baton_spin_pause()
            }
        }
    }

    /// What a process told when it came to the last meeting; to be read before the next.
    func values(of peer: Int) -> (UInt64, UInt64) {
        (
            place(valuePlace, of: peer).pointee.load(ordering: .relaxed),
            place(valuePlace + 1, of: peer).pointee.load(ordering: .relaxed)
        )
    }

    /// The rest of a meeting some process is late for.
    private func wait(from first: Int, _ poll: () throws(CommError) -> Void) throws(CommError) {
        // Where ranks share cores, the late one needs this one's at once. Where they do not, something else may have
        // taken its core, and a yield costs nothing.
        let sharesCores = group.waitPolicy.yieldsAfter != nil
        var waiting = WaitPolicy(yieldsAfter: sharesCores ? .zero : .microseconds(50)).begin()
        for peer in first..<size where peer != rank {
            while place(0, of: peer).pointee.load(ordering: .acquiring) < count {
                try poll()
                if waiting.exceeds(group.waitLimit) {
                    let (own, late) = (group.worldRanks[rank], group.worldRanks[peer])
                    throw .timeout(
                        "rank \(own) waits for rank \(late), whose memory it shares (meeting \(count)),",
                        since: group.waitLimit)
                }
            }
        }
    }

    /// Two places in turn: who has left a meeting may come to the next before the others have read what it told.
    private var valuePlace: Int { 1 + 2 * Int(count % 2) }

    private func place(_ number: Int, of peer: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        first + peer * (Self.bytesPerProcess / MemoryLayout<Atomic<UInt64>>.stride) + number
    }
}
