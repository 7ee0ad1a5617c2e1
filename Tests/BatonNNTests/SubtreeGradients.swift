import BatonKernels
import BatonTensor

/// Gradients of the subtrees of a batch's leaves, those of one process or of several together.
struct SubtreeGradients {
    /// First global leaf, number of leaves, flat gradient.
    private(set) var roots: [(first: Int, count: Int, gradient: [Double])]

    /// Those that a backward pass of one process left in its arena.
    ///
    /// - Parameter firstLeaf: the global number of the plan's first leaf.
    init(_ plan: LeafPlan, firstLeaf: Int, _ arena: ParameterArena) {
        roots = zip(plan.subtrees, arena.gradients).map { (firstLeaf + $0.lowerBound, $0.count, $1.doubles()) }
    }

    /// Those of all processes.
    init(_ shares: [SubtreeGradients]) { roots = shares.flatMap(\.roots) }

    /// The sum of a range of leaves by the fixed tree, rounded to the element type after every addition.
    func total(_ leaves: Range<Int>, _ dtype: DType) -> [Double] {
        if let root = roots.first(where: { $0.first == leaves.lowerBound && $0.count == leaves.count }) {
            return root.gradient
        }
        let middle = leaves.lowerBound + leaves.count / 2
        let (left, right) = (total(leaves.lowerBound..<middle, dtype), total(middle..<leaves.upperBound, dtype))
        return zip(left, right).map { dtype == .float32 ? Double(Float($0) + Float($1)) : $0 + $1 }
    }
}
