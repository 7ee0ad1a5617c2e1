import BatonKernels
import BatonTensor

/// The gradients of a rank that computes its lanes in parts (micro-batches), one after the other.
///
/// A part is to the tree over the leaves what a rank is: it holds a range of leaves and fills one gradient for every
/// maximal aligned subtree of it. Additions of neighbours bring these into the gradients of the rank's own subtrees, as
/// the tree prescribes, so the bits are those of one part.
struct MicroBatchSums {
    /// Leaves of the global batch.
    let leafCount: Int
    /// Lanes and leaves of every part.
    let shares: [RankShare]
    private let sums: SubtreeSums

    /// Numbers of the gradients each part adds to.
    var gradients: [Range<Int>] { sums.gradients }
    /// Number of gradients the arena needs.
    var gradientCount: Int { sums.gradientCount }
    /// Gradients that hold the rank's subtrees after the additions, ascending.
    var roots: [Int] { sums.roots }

    /// - Parameters:
    ///   - lanes: B of the global batch.
    ///   - replica: The rank among `replicas` that divide the lanes.
    init(lanes: Int, leafCount: Int, replica: Int, replicas: Int, microBatches: Int) {
        let count = replicas * microBatches
        let parts = replica * microBatches..<(replica + 1) * microBatches
        shares = parts.map { RankShare(lanes: lanes, leafCount: leafCount, rank: $0, size: count) }
        self.leafCount = leafCount
        sums = SubtreeSums(parts: parts.map { LeafPlan.leaves(ofRank: $0, of: count, leafCount: leafCount) })
    }

    /// Carries out the additions on some elements.
    func combine(_ arena: ParameterArena, elements: Range<Int>) { sums.combine(arena, elements: elements) }
}
