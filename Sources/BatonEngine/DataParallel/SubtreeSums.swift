import BatonKernels
import BatonTensor

/// Additions that bring the gradients of adjoining parts of the leaves into those of the maximal aligned subtrees of all
/// of them, as the tree over the leaves prescribes.
struct SubtreeSums {
    /// Numbers of the gradients each part adds to: one for every maximal aligned subtree of it.
    let gradients: [Range<Int>]
    /// Number of gradients the arena needs.
    let gradientCount: Int
    /// Gradients that hold the subtrees of all parts after the additions, ascending; the first is number 0.
    let roots: [Int]
    /// In an order that respects the tree.
    let additions: [Addition]

    /// Gradient `left` ← gradient `left` + gradient `right`.
    struct Addition: Hashable {
        var left: Int
        var right: Int
    }

    /// - Parameter parts: Global leaf numbers, each part beginning where the one before ends; some may be empty.
    init(parts: [Range<Int>]) {
        var gradients: [Range<Int>] = []
        var additions: [Addition] = []
        var open: [(gradient: Int, leaves: Range<Int>)] = []
        var count = 0
        for leaves in parts {
            let subtrees = LeafPlan.alignedSubtrees(leaves)
            gradients.append(count..<count + subtrees.count)
            // Two neighbours of equal size, the left one aligned to twice that, are the children of one tree node.
            for subtree in subtrees {
                open.append((count, subtree))
                count += 1
                while open.count > 1, let right = open.last {
                    let left = open[open.count - 2]
                    guard left.leaves.count == right.leaves.count,
                        left.leaves.lowerBound % (2 * left.leaves.count) == 0
                    else { break }
                    additions.append(Addition(left: left.gradient, right: right.gradient))
                    open.removeLast(2)
                    open.append((left.gradient, left.leaves.lowerBound..<right.leaves.upperBound))
                }
            }
        }
        self.gradients = gradients
        self.additions = additions
        gradientCount = count
        roots = open.map(\.gradient)
    }

    /// Carries out the additions on some elements.
    func combine(_ arena: ParameterArena, elements: Range<Int>) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            for addition in additions {
                let left = arena.gradients[addition.left].pointer(of: Scalar.self) + elements.lowerBound
                let right = arena.gradients[addition.right].pointer(of: Scalar.self) + elements.lowerBound
                Scalar.addElements(left, right, into: left, count: elements.count)
            }
        }
        run(arena.dtype.differentiable(for: "SubtreeSums"))
    }
}
