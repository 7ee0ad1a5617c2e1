import BatonKernelABI
import BatonKernels

/// The uses of a parameter whose gradients must not be added one by one: sums over the batch follow the leaves, and
/// all uses belong to one chain per leaf.
class GradientGroup {
    /// Recorded uses that were not walked back yet.
    var uses = 0
    /// Called after `finish`.
    var onFinish: (() -> Void)?

    /// Counts a use as walked back; the last one completes the gradient.
    final func completeUse(_ hook: StepHook) {
        uses -= 1
        guard uses == 0 else { return }
        finish(hook)
        onFinish?()
    }

    /// Adds the gradient of all uses to the parameters.
    func finish(_ hook: StepHook) {}
}

/// Inputs and output gradients of all uses of a linear product.
final class LinearGradientGroup: GradientGroup {
    private let product: any LinearProduct
    private let weight: Parameter
    private let bias: Parameter?
    private let leaves: LeafPlan
    /// In the order of the backward walk: last use first.
    private var parts: [(input: Tensor, outputGradient: Tensor, layout: SequenceLayout)] = []

    init(_ product: any LinearProduct, _ weight: Parameter, _ bias: Parameter?, _ leaves: LeafPlan) {
        self.product = product
        self.weight = weight
        self.bias = bias
        self.leaves = leaves
    }

    func add(input: Tensor, outputGradient: Tensor, _ layout: SequenceLayout) {
        parts.append((input, outputGradient, layout))
    }

    override func finish(_ hook: StepHook) {
        guard let first = parts.first else { return }
        let (input, outputGradient, layout) =
            parts.count == 1
            ? first
            : (
                Self.join(parts.map { ($0.input, $0.layout) }), Self.join(parts.map { ($0.outputGradient, $0.layout) }),
                .TNC
            )
        product.backwardWeights(
            input: input, outputGradient: outputGradient,
            weightGradients: weight.gradientDestinations(leaves.subtrees.count),
            biasGradients: bias?.gradientDestinations(leaves.subtrees.count), leaves: leaves, layout: layout,
            hook: hook)
        parts = []
    }

    /// (T, N, ·) of all uses in the order of the forward pass, so that a kernel that goes from the last step to the
    /// first follows the backward walk.
    private static func join(_ uses: [(Tensor, SequenceLayout)]) -> Tensor {
        let uses = uses.map { use, layout in
            use.rank == 3 && layout == .NTC ? use.withSwappedLeadingAxes() : use
        }
        let shapes = uses.map { $0.rank == 3 ? $0.shape : [1] + $0.shape }
        let joined = Tensor(
            uninitialized: [shapes.reduce(0) { $0 + $1[0] }] + shapes[0].dropFirst(), dtype: uses[0].dtype)
        var start = 0
        for (use, shape) in zip(uses, shapes).reversed() {
            joined[leading: start..<start + shape[0]].copyElements(from: use)
            start += shape[0]
        }
        return joined
    }
}
