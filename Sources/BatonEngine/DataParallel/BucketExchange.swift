internal import BatonComm
import BatonTensor

/// The exchange of one bucket: every rank sends its partial sums of slice s to rank s, rank s adds them in tree order
/// and sends the total of its slice to everybody.
///
/// Driven by `advance`; nothing here waits.
final class BucketExchange<Scalar: DifferentiableScalar> {
    /// What an exchange needs to know about the tree and the group.
    struct Setting {
        let plan: TreeSumPlan
        let arenas: [UnsafeMutablePointer<Scalar>]
        let communicator: any Communicator
    }

    private let setting: Setting
    /// The part of the bucket each rank adds, in elements of the arena; may be empty.
    let slices: [Range<Int>]
    /// Tag of partial sum k of the sender is `firstTag + k`; the last tag carries totals.
    private let firstTag: Int
    private let totalTag: Int
    /// First element of every node's part in the own slice: in an own arena, or where it is received.
    private let operands: [UnsafeMutablePointer<Scalar>]

    private var partialReceives = PendingRequests()
    private var partialSends = PendingRequests()
    private var totalReceives = PendingRequests()
    private var totalSends = PendingRequests()
    private var hasAdded = false
    private var hasAskedForTotals = false

    /// - Parameters:
    ///   - landing: Memory for the partial sums of others: the own slice's elements for each node of other ranks.
    ///   - tags: Its own: one for every arena of a rank, and one for the totals.
    init(
        _ setting: Setting, bucket: Range<Int>, landing: UnsafeMutablePointer<Scalar>, tags: Range<Int>
    ) {
        let rank = setting.communicator.rank
        self.setting = setting
        slices = BucketExchange.slices(of: bucket, count: setting.communicator.size)
        firstTag = tags.lowerBound
        totalTag = tags.upperBound - 1
        var free = landing
        var operands: [UnsafeMutablePointer<Scalar>] = []
        for node in setting.plan.nodes {
            if node.rank == rank {
                operands.append(setting.arenas[node.arena] + slices[rank].lowerBound)
            } else {
                operands.append(free)
                free += slices[rank].count
            }
        }
        self.operands = operands
    }

    /// Cuts a bucket into one slice per rank, about equal, with borders at multiples of 16 elements of the arena.
    static func slices(of bucket: Range<Int>, count: Int) -> [Range<Int>] {
        let borders = (0...count).map { part in
            part == count
                ? bucket.upperBound
                : max(bucket.lowerBound, (bucket.lowerBound + bucket.count * part / count) / 16 * 16)
        }
        return (0..<count).map { borders[$0]..<borders[$0 + 1] }
    }

    /// Starts sending the own partial sums and receiving those of the own slice.
    func start() throws(CommError) {
        let communicator = setting.communicator
        let (rank, size) = (communicator.rank, communicator.size)
        hasAdded = false
        hasAskedForTotals = false
        let own = slices[rank].count
        if own > 0 {
            for (number, node) in setting.plan.nodes.enumerated() where node.rank != rank {
                partialReceives.add(
                    try communicator.immediateReceive(
                        into: bytes(operands[number], count: own), from: node.rank, tag: firstTag + node.arena))
            }
        }
        // Each rank begins with its successor, so that not all press on rank 0 first.
        for peer in (1..<size).map({ (rank + $0) % size }) where !slices[peer].isEmpty {
            for node in setting.plan.nodes where node.rank == rank {
                let source = setting.arenas[node.arena] + slices[peer].lowerBound
                partialSends.add(
                    try communicator.immediateSend(
                        UnsafeRawBufferPointer(bytes(source, count: slices[peer].count)), to: peer,
                        tag: firstTag + node.arena))
            }
        }
    }

    /// Moves the exchange on; true once the totals stand in arena 0 and no transfer is open.
    func advance() throws(CommError) -> Bool {
        if !hasAdded, try partialReceives.finish() {
            try addAndSpread()
            hasAdded = true
        }
        // A total lands where a partial sum is sent from: only when that has left.
        if !hasAskedForTotals, try partialSends.finish() {
            try askForTotals()
            hasAskedForTotals = true
        }
        let isSent = try totalSends.finish()
        let isReceived = try totalReceives.finish()
        return hasAdded && hasAskedForTotals && isSent && isReceived
    }

    /// What the exchange waits for, for messages.
    var purpose: String {
        partialReceives.purpose ?? totalReceives.purpose ?? partialSends.purpose ?? totalSends.purpose ?? "nothing"
    }

    private func addAndSpread() throws(CommError) {
        let (rank, size) = (setting.communicator.rank, setting.communicator.size)
        guard !slices[rank].isEmpty else { return }
        let total = setting.arenas[0] + slices[rank].lowerBound
        setting.plan.add(operands, into: total, count: slices[rank].count)
        let message = UnsafeRawBufferPointer(bytes(total, count: slices[rank].count))
        for step in 1..<size {
            totalSends.add(
                try setting.communicator.immediateSend(message, to: (rank + step) % size, tag: totalTag))
        }
    }

    private func askForTotals() throws(CommError) {
        let rank = setting.communicator.rank
        for (peer, slice) in slices.enumerated() where peer != rank && !slice.isEmpty {
            totalReceives.add(
                try setting.communicator.immediateReceive(
                    into: bytes(setting.arenas[0] + slice.lowerBound, count: slice.count), from: peer, tag: totalTag))
        }
    }

    private func bytes(_ first: UnsafeMutablePointer<Scalar>, count: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: first, count: count * MemoryLayout<Scalar>.stride)
    }
}

/// Transfers under way, tested in the order they were started and forgotten once all have finished.
struct PendingRequests {
    private var requests: [any Request] = []
    private var finished = 0

    mutating func add(_ request: any Request) { requests.append(request) }

    /// True when no transfer is open; otherwise tests up to the first open one, which moves all of them.
    mutating func finish() throws(CommError) -> Bool {
        while finished < requests.count {
            guard try requests[finished].test() else { return false }
            finished += 1
        }
        requests.removeAll(keepingCapacity: true)
        finished = 0
        return true
    }

    /// The first open transfer.
    var purpose: String? { finished < requests.count ? requests[finished].purpose : nil }
}
