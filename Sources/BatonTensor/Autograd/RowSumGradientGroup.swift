internal import BatonKernelABI
internal import BatonKernels

extension ForwardContext {
    /// The group of one more use of a parameter that stands beside every row; nil if it has no gradient.
    func rowSumGroup(_ parameter: Parameter, _ tape: Tape) -> RowSumGradientGroup? {
        guard parameter.gradientRequirement != .null else { return nil }
        let group = tape.group(of: parameter, leaves) { RowSumGradientGroup(parameter, leaves) }
        group.uses += 1
        return group
    }
}

/// The gradient of a gain, Σ dy ⊙ x̂, or of a bias, Σ dy, over all uses; of one that is both, their sum.
final class RowSumGradientGroup: GradientGroup {
    private let parameter: Parameter
    private let leaves: LeafPlan
    /// In the order of the backward walk: last use first.
    private var parts: [(outputGradient: Tensor, factor: Tensor?)] = []

    init(_ parameter: Parameter, _ leaves: LeafPlan) {
        self.parameter = parameter
        self.leaves = leaves
    }

    func add(outputGradient: Tensor, factor: Tensor?) { parts.append((outputGradient, factor)) }

    override func finish(_ hook: StepHook) {
        let gradients = parameter.gradientDestinations(leaves.subtrees.count)
        for (subtree, gradient) in zip(leaves.subtrees, gradients) {
            switch parameter.dtype {
            case .float32: sum(Float.self, subtree, gradient)
            default: sum(Double.self, subtree, gradient)
            }
        }
        parts = []
    }

    private func sum<Scalar: DifferentiableScalar>(_: Scalar.Type, _ subtree: Range<Int>, _ gradient: Tensor) {
        let sum = LeafPlan.treeSum(subtree.map { leafSum(Scalar.self, leaves.leaves[$0]) }) { zip($0, $1).map(+) }
        let target = gradient.pointer(of: Scalar.self)
        for index in 0..<parameter.count { target[index] += sum[index] }
    }

    /// The sum of one leaf: one chain per element, uses and steps from the last to the first, rows ascending.
    private func leafSum<Scalar: DifferentiableScalar>(_: Scalar.Type, _ rows: Range<Int>) -> [Scalar] {
        let (width, batch) = (parameter.count, leaves.rowCount)
        var total = [Scalar](repeating: 0, count: width)
        for (gradient, factor) in parts {
            let steps = gradient.rank == 3 ? gradient.shape[0] : 1
            for step in (0..<steps).reversed() {
                for row in rows {
                    let start = (step * batch + row) * width
                    let above = gradient.pointer(of: Scalar.self) + start
                    if let factor {
                        let unit = factor.pointer(of: Scalar.self) + start
                        for index in 0..<width { total[index] += above[index] * unit[index] }
                    } else {
                        for index in 0..<width { total[index] += above[index] }
                    }
                }
            }
        }
        return total
    }
}
