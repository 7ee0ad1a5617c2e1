internal import BatonKernels
public import BatonTensor

/// The global norm of a gradient and the factor that clips it.
///
/// Per parameter Σ g² in f64 (sixteen interleaved chains, then pairwise), added in the order of the parameters'
/// names: the bits depend on neither memory layout nor processes.
public struct GradientNorm: Sendable, Hashable {
    /// √Σ g² over all parameters.
    public let value: Double

    /// - Parameter gradient: flat, laid out as the arena.
    /// - Throws: `NNError` if the norm is not finite; the message names the first such parameter.
    public init(_ arena: ParameterArena, gradient: Tensor) throws(NNError) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) -> (sum: Double, culprit: String?) {
            let base = gradient.pointer(of: Scalar.self)
            var sum = 0.0
            var culprit: String?
            for slot in arena.slotsByName {
                let square = Scalar.sumOfSquares(base + slot.range.lowerBound, count: slot.range.count)
                if !square.isFinite, culprit == nil { culprit = slot.parameter.name }
                sum += square
            }
            return (sum, culprit)
        }
        precondition(
            gradient.count == arena.count && gradient.dtype == arena.dtype,
            "GradientNorm: expected a flat gradient (\(arena.count)) of \(arena.dtype.rawValue), got \(gradient.shape) \(gradient.dtype.rawValue)"
        )
        let (sum, culprit) = run(arena.dtype.differentiable(for: "GradientNorm"))
        if let culprit {
            throw NNError(
                "The gradient of \(culprit) is not finite; lower the learning rate, clip the gradient, or check the data for NaN"
            )
        }
        value = sum.squareRoot()
    }

    /// min(1, maximum / (norm + 10⁻⁶)), the factor of PyTorch's `clip_grad_norm_`.
    public func clippingFactor(maximum: Double) -> Double { min(1, maximum / (value + 1e-6)) }
}
