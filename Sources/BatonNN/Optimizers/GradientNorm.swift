import BatonChecks
internal import BatonKernels
public import BatonTensor

/// The global norm of a gradient and the factor that clips it.
///
/// Per parameter Σ g² in f64 (sixteen interleaved chains, then pairwise), added in the order of the parameters'
/// names: the bits depend on neither memory layout nor processes.
public struct GradientNorm: Sendable, Hashable {
    /// √Σ g² over all parameters.
    public let value: Double

    /// - Parameter gradient: flat, laid out as the arena, and of its type.
    /// - Throws: `NNError` if the norm is not finite; the message names the first such parameter.
    public init(_ arena: ParameterArena, gradient: Tensor) throws(NNError) {
        try self.init(squares: Self.squares(arena, gradient: gradient))
    }

    /// The norm from Σ g² of every parameter, in the order of their names.
    ///
    /// - Throws: as above.
    public init(squares: [(name: String, value: Double)]) throws(NNError) {
        var sum = 0.0
        for square in squares {
            guard square.value.isFinite else {
                throw NNError(
                    "The gradient of \(square.name) is not finite; lower the learning rate, clip the gradient, or check the data for NaN."
                )
            }
            sum += square.value
        }
        value = sum.squareRoot()
    }

    /// Σ g² of each parameter of an arena, in the order of the names.
    ///
    /// - Parameter gradient: flat, laid out as the arena, and of its type.
    public static func squares(_ arena: ParameterArena, gradient: Tensor) -> [(name: String, value: Double)] {
        require(
            gradient.count == arena.count && gradient.dtype == arena.dtype,
            "GradientNorm: expected a flat gradient (\(arena.count)) of \(arena.dtype.rawValue), got \(gradient.shape) \(gradient.dtype.rawValue)"
        )
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) -> [(name: String, value: Double)] {
            let base = gradient.pointer(of: Scalar.self)
            return arena.slotsByName.map { slot in
                (slot.parameter.name, Scalar.sumOfSquares(base + slot.range.lowerBound, count: slot.range.count))
            }
        }
        return run(arena.dtype.differentiable(for: "GradientNorm"))
    }

    /// min(1, maximum / (norm + 10⁻⁶)), the factor of PyTorch's `clip_grad_norm_`.
    public func clippingFactor(maximum: Double) -> Double { min(1, maximum / (value + 1e-6)) }
}
