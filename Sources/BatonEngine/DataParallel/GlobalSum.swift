import BatonChecks
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

extension LeafTotals: BitwiseCopyable {}

/// Sums of scalars over all leaves of the global batch, the same bits for any number of ranks: the values of all
/// leaves are gathered, and every rank adds them in the tree `GradientTree` uses.
struct GlobalSum {
    private let leafCount: Int
    private let communicator: any Communicator

    /// - Parameters:
    ///   - leafCount: Leaves L of the global batch, a power of two; rank r of P holds r·L/P ..< (r+1)·L/P.
    ///   - communicator: The ranks of the sum.
    init(leafCount: Int, communicator: any Communicator) {
        require(
            leafCount > 0 && leafCount & (leafCount - 1) == 0, "GlobalSum: \(leafCount) leaves are no power of two")
        self.leafCount = leafCount
        self.communicator = communicator
    }

    /// Adds the leaves of all ranks. Collective; every rank gets the same bits.
    ///
    /// - Parameter leaves: The totals of this rank's leaves, ascending.
    /// - Throws: `CommError` of the transport or of a time limit.
    func combine(_ leaves: [LeafTotals]) throws(CommError) -> LeafTotals {
        LeafPlan.treeSum(try gather(leaves), +)
    }

    /// The totals of all leaves of the global batch where only the last stage of a pipeline has a loss: its ranks
    /// gather, the other stages hear from them. Collective over the whole grid.
    ///
    /// - Parameter leaves: nil on the other stages.
    func gather(_ leaves: [LeafTotals]?, lastStageOf grid: ProcessGrid) throws(CommError) -> [LeafTotals] {
        let all = try leaves.map { leaves throws(CommError) in try gather(leaves) }
        if grid.layout.stages == 1, let all { return all }
        return try grid.stageGroup.allGather(all ?? none)[grid.layout.stages - 1]
    }

    /// The totals of all leaves of the global batch. Collective.
    func gather(_ leaves: [LeafTotals]) throws(CommError) -> [LeafTotals] {
        let own = self.leaves(of: communicator.rank)
        require(
            leaves.count == own.count,
            "GlobalSum: rank \(communicator.rank) holds leaves \(own), got values of \(leaves.count)")
        // Ranks fill the places of their own leaves only.
        var contribution = none
        contribution.replaceSubrange(own, with: leaves)
        let ranks = try communicator.allGather(contribution)
        return ranks.indices.flatMap { ranks[$0][self.leaves(of: $0)] }
    }

    private var none: [LeafTotals] { Array(repeating: LeafTotals(lossSum: 0, tokenCount: 0), count: leafCount) }

    private func leaves(of rank: Int) -> Range<Int> {
        LeafPlan.leaves(ofRank: rank, of: communicator.size, leafCount: leafCount)
    }
}

extension LeafTotals {
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
