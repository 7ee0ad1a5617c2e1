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
    /// Numbers of the gradients each part adds to.
    let gradients: [Range<Int>]
    /// Number of gradients the arena needs.
    let gradientCount: Int
    /// Gradients that hold the rank's subtrees after the additions, ascending.
    let roots: [Int]
    /// left ← left + right.
    private let additions: [(left: Int, right: Int)]

    /// - Parameters:
    ///   - lanes: B of the global batch.
    ///   - replica: The rank among `replicas` that divide the lanes.
    init(lanes: Int, leafCount: Int, replica: Int, replicas: Int, microBatches: Int) {
        let parts = replicas * microBatches
        var shares: [RankShare] = []
        var gradients: [Range<Int>] = []
        var additions: [(left: Int, right: Int)] = []
        var open: [(gradient: Int, leaves: Range<Int>)] = []
        var count = 0
        for part in replica * microBatches..<(replica + 1) * microBatches {
            shares.append(RankShare(lanes: lanes, leafCount: leafCount, rank: part, size: parts))
            let leaves = part * leafCount / parts..<(part + 1) * leafCount / parts
            let subtrees = LeafPlan.alignedSubtrees(leaves)
            gradients.append(count..<count + subtrees.count)
            for subtree in subtrees {
                open.append((count, subtree))
                count += 1
                while open.count > 1, let right = open.last {
                    let left = open[open.count - 2]
                    guard left.leaves.count == right.leaves.count,
                        left.leaves.lowerBound % (2 * left.leaves.count) == 0
                    else { break }
                    additions.append((left.gradient, right.gradient))
                    open.removeLast(2)
                    open.append((left.gradient, left.leaves.lowerBound..<right.leaves.upperBound))
                }
            }
        }
        self.leafCount = leafCount
        self.shares = shares
        self.gradients = gradients
        self.additions = additions
        gradientCount = count
        roots = open.map(\.gradient)
    }

    /// Carries out the additions on some elements.
    func combine(_ arena: ParameterArena, elements: Range<Int>) {
        func run<Scalar: ArenaScalar & TensorScalar>(_: Scalar.Type) {
            for addition in additions {
                let left = arena.gradients[addition.left].pointer(of: Scalar.self) + elements.lowerBound
                let right = arena.gradients[addition.right].pointer(of: Scalar.self) + elements.lowerBound
                Scalar.add(left, right, into: left, count: elements.count)
            }
        }
        if arena.dtype == .float64 { run(Double.self) } else { run(Float.self) }
    }
}
