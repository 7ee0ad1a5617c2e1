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

    /// node `left` ← node `left` + node `right`.
    struct Addition: Hashable {
        var left: Int
        var right: Int
    }

    /// All nodes, ascending by leaves.
    let nodes: [Node]
    /// In an order that respects the tree; afterwards the total stands in node 0.
    let additions: [Addition]

    /// - Parameters:
    ///   - leafCount: Leaves of the global batch: a power of two.
    ///   - size: Number of ranks; rank r holds leaves r·L/size ..< (r+1)·L/size, possibly none.
    init(leafCount: Int, size: Int) {
        precondition(
            leafCount > 0 && leafCount & (leafCount - 1) == 0, "TreeSumPlan: \(leafCount) leaves are no power of two")
        precondition(size > 0, "TreeSumPlan: \(size) ranks")
        var nodes: [Node] = []
        for rank in 0..<size {
            let subtrees = LeafPlan.alignedSubtrees(rank * leafCount / size..<(rank + 1) * leafCount / size)
            for (arena, leaves) in subtrees.enumerated() {
                nodes.append(Node(leaves: leaves, rank: rank, arena: arena))
            }
        }
        // Two neighbours of equal size, the left one aligned to twice that, are the children of one tree node.
        var additions: [Addition] = []
        var open: [(node: Int, leaves: Range<Int>)] = []
        for (number, node) in nodes.enumerated() {
            open.append((number, node.leaves))
            while open.count > 1, let right = open.last {
                let left = open[open.count - 2]
                guard left.leaves.count == right.leaves.count,
                    left.leaves.lowerBound % (2 * left.leaves.count) == 0
                else { break }
                additions.append(Addition(left: left.node, right: right.node))
                open.removeLast(2)
                open.append((left.node, left.leaves.lowerBound..<right.leaves.upperBound))
            }
        }
        precondition(open.count == 1, "TreeSumPlan: \(open.count) partial sums remain of \(leafCount) leaves")
        self.nodes = nodes
        self.additions = additions
    }

    /// Carries out the additions on `count` elements of every node.
    ///
    /// - Parameters:
    ///   - operands: First element of each node; overwritten with intermediate sums.
    ///   - result: Gets the total; may be one of the operands, overlaps no other part of them.
    func add<Scalar: ArenaScalar>(
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
                Scalar.add(left, operands[addition.right] + start, into: left, count: length)
            }
            Scalar.add(
                operands[last.left] + start, operands[last.right] + start, into: result + start, count: length)
        }
    }
}
