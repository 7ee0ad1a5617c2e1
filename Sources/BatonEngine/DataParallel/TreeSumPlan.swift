import BatonChecks
internal import BatonKernels

/// Which partial sums of the fixed binary tree over the leaves exist on which rank, and the additions that turn them
/// into the total. The same on all ranks; the tree itself knows only leaves, so the total has the same bits for any
/// number of ranks.
struct TreeSumPlan {
    /// A partial sum: the root of a maximal aligned subtree in the leaf range of one rank.
    struct Node: Hashable {
        var leaves: Range<Int>
        var rank: Int
        /// Its number among the nodes of the rank.
        var arena: Int
    }

    /// All nodes, ascending by leaves.
    let nodes: [Node]
    /// In an order that respects the tree; afterwards the total stands in node 0.
    let additions: [SubtreeSums.Addition]

    /// - Parameters:
    ///   - leafCount: Leaves of the global batch: a power of two.
    ///   - size: Number of ranks; rank r holds leaves r·L/size ..< (r+1)·L/size, possibly none.
    init(leafCount: Int, size: Int) {
        require(
            leafCount > 0 && leafCount & (leafCount - 1) == 0, "TreeSumPlan: \(leafCount) leaves are no power of two")
        require(size > 0, "TreeSumPlan: \(size) ranks")
        let parts = (0..<size).map { LeafPlan.leaves(ofRank: $0, of: size, leafCount: leafCount) }
        nodes = parts.enumerated().flatMap { rank, leaves in
            LeafPlan.alignedSubtrees(leaves).enumerated().map { Node(leaves: $1, rank: rank, arena: $0) }
        }
        let sums = SubtreeSums(parts: parts)
        require(
            sums.roots.count == 1, "TreeSumPlan: \(sums.roots.count) partial sums remain of \(leafCount) leaves")
        additions = sums.additions
    }

    /// Carries out the additions on `count` elements of every node.
    ///
    /// - Parameters:
    ///   - operands: First element of each node; overwritten with intermediate sums.
    ///   - result: Gets the total; may be one of the operands, overlaps no other part of them.
    func add<Scalar: ElementWiseScalar>(
        _ operands: [UnsafeMutablePointer<Scalar>], into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        guard let last = additions.last else {
            if operands[0] != result { result.update(from: operands[0], count: count) }
            return
        }
        // In blocks, so that intermediate sums are still in the first-level cache when they are used.
        let block = 2048
        for start in stride(from: 0, to: count, by: block) {
            let length = min(block, count - start)
            for addition in additions.dropLast() {
                let left = operands[addition.left] + start
                Scalar.addElements(left, operands[addition.right] + start, into: left, count: length)
            }
            Scalar.addElements(
                operands[last.left] + start, operands[last.right] + start, into: result + start, count: length)
        }
    }
}
