import BatonComm
import BatonKernels
import BatonTensor

/// Loss and token count of one leaf, or of a whole batch.
public struct LeafTotals: Sendable, Hashable {
    /// Sum of the loss over tokens, in nats.
    public var lossSum: Double
    /// Number of tokens that count.
    public var tokenCount: Int

    /// The totals of no tokens are (0, 0).
    public init(lossSum: Double, tokenCount: Int) {
        self.lossSum = lossSum
        self.tokenCount = tokenCount
    }
}

/// Sums of scalars over all leaves of the global batch, the same bits for any number of ranks: the values of all
/// leaves are gathered, and every rank adds them in the tree `GradientTree` uses.
final class GlobalSum {
    private let leafCount: Int
    private let communicator: any Communicator
    /// Leaves of this rank.
    private let ownLeaves: Range<Int>
    /// Per leaf the bits of the loss sum and the token count; ranks fill the places of their own leaves only.
    private let contribution: UnsafeMutableBufferPointer<UInt64>
    private let gathered: UnsafeMutableBufferPointer<UInt64>

    /// - Parameters:
    ///   - leafCount: Leaves L of the global batch, a power of two; rank r of P holds r·L/P ..< (r+1)·L/P.
    ///   - communicator: The ranks of the sum.
    init(leafCount: Int, communicator: any Communicator) {
        precondition(
            leafCount > 0 && leafCount & (leafCount - 1) == 0, "GlobalSum: \(leafCount) leaves are no power of two")
        self.leafCount = leafCount
        self.communicator = communicator
        ownLeaves = LeafPlan.leaves(ofRank: communicator.rank, of: communicator.size, leafCount: leafCount)
        contribution = .allocate(capacity: 2 * leafCount)
        contribution.initialize(repeating: 0)
        gathered = .allocate(capacity: 2 * leafCount * communicator.size)
        gathered.initialize(repeating: 0)
    }

    deinit {
        contribution.deallocate()
        gathered.deallocate()
    }

    /// Adds the leaves of all ranks. Collective; every rank gets the same bits.
    ///
    /// - Parameter leaves: The totals of this rank's leaves, ascending.
    /// - Throws: `CommError` of the transport or of a time limit.
    func combine(_ leaves: [LeafTotals]) throws(CommError) -> LeafTotals {
        GlobalSum.treeSum(try gather(leaves))
    }

    /// The totals of all leaves of the global batch where only the last stage of a pipeline has a loss: its ranks
    /// gather, the other stages hear from them. Collective over the whole grid.
    ///
    /// - Parameter leaves: nil on the other stages.
    func gather(_ leaves: [LeafTotals]?, lastStageOf grid: ProcessGrid) throws(CommError) -> [LeafTotals] {
        var all = try leaves.map { leaves throws(CommError) in try gather(leaves) } ?? []
        guard grid.layout.stages > 1 else { return all }
        let message = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 2 * leafCount)
        defer { message.deallocate() }
        message.initialize(repeating: 0)
        for (leaf, totals) in all.enumerated() {
            message[2 * leaf] = totals.lossSum.bitPattern
            message[2 * leaf + 1] = UInt64(bitPattern: Int64(totals.tokenCount))
        }
        try grid.stageGroup.broadcast(UnsafeMutableRawBufferPointer(message), from: grid.layout.stages - 1)
        all = (0..<leafCount).map { LeafTotals(message[2 * $0], message[2 * $0 + 1]) }
        return all
    }

    /// The totals of all leaves of the global batch. Collective.
    func gather(_ leaves: [LeafTotals]) throws(CommError) -> [LeafTotals] {
        precondition(
            leaves.count == ownLeaves.count,
            "GlobalSum: rank \(communicator.rank) holds leaves \(ownLeaves), got values of \(leaves.count)")
        for (leaf, totals) in zip(ownLeaves, leaves) {
            contribution[2 * leaf] = totals.lossSum.bitPattern
            contribution[2 * leaf + 1] = UInt64(bitPattern: Int64(totals.tokenCount))
        }
        try communicator.allGather(
            UnsafeRawBufferPointer(contribution), into: UnsafeMutableRawBufferPointer(gathered))
        var all = Array(repeating: LeafTotals(lossSum: 0, tokenCount: 0), count: leafCount)
        for rank in 0..<communicator.size {
            for leaf in LeafPlan.leaves(ofRank: rank, of: communicator.size, leafCount: leafCount) {
                let place = 2 * (rank * leafCount + leaf)
                all[leaf] = LeafTotals(gathered[place], gathered[place + 1])
            }
        }
        return all
    }

    /// The fixed binary tree over the leaves.
    static func treeSum(_ leaves: [LeafTotals]) -> LeafTotals {
        var sums = leaves
        while sums.count > 1 {
            sums = stride(from: 0, to: sums.count, by: 2).map { sums[$0] + sums[$0 + 1] }
        }
        return sums[0]
    }
}

extension LeafTotals {
    fileprivate init(_ lossBits: UInt64, _ countBits: UInt64) {
        self.init(lossSum: Double(bitPattern: lossBits), tokenCount: Int(Int64(bitPattern: countBits)))
    }

    static func + (left: LeafTotals, right: LeafTotals) -> LeafTotals {
        LeafTotals(lossSum: left.lossSum + right.lossSum, tokenCount: left.tokenCount + right.tokenCount)
    }
}

extension CrossEntropy {
    /// What has been added so far, by leaf.
    var leafTotals: [LeafTotals] {
        zip(leafSums, leafCounts).map { LeafTotals(lossSum: $0, tokenCount: $1) }
    }
}
