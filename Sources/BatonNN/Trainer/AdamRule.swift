import BatonChecks
internal import BatonKernelABI
internal import BatonKernels
public import BatonTensor
internal import Glibc

/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − η·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε). Source: Gluon `Adam` (parity 1.10).
public struct AdamRule: UpdateRule {
    /// β₁.
    public let beta1: Double
    /// β₂.
    public let beta2: Double
    /// ε.
    public let epsilon: Double
    /// λ.
    public let weightDecay: Double
    /// Bound of every rescaled gradient element; nil is none.
    public let clipGradient: Double?
    /// Gluon's.
    public var defaultLearningRate: Double { 0.001 }
    /// In the order of the formula.
    public var stateNames: [String] { ["mean", "variance"] }

    /// Gluon's defaults.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
        clipGradient: Double? = nil
    ) {
        require(
            (0..<1).contains(beta1) && (0..<1).contains(beta2) && epsilon >= 0,
            "AdamRule: expected beta1 and beta2 in [0, 1) and epsilon ≥ 0, got \(beta1), \(beta2) and \(epsilon)")
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.clipGradient = clipGradient
    }

    /// See the formula of the type.
    public func update(_ values: Tensor, gradient: Tensor, states: [Tensor], _ arguments: UpdateArguments) {
        let exponent = Double(arguments.update)
        let correction = (1 - pow(beta2, exponent)).squareRoot() / (1 - pow(beta1, exponent))
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.adamUpdate(
                AdamUpdateArguments(
                    parameter: values.pointer(of: Scalar.self), gradient: gradient.pointer(of: Scalar.self),
                    firstMoment: states[0].pointer(of: Scalar.self), secondMoment: states[1].pointer(of: Scalar.self),
                    count: values.count, gradientScale: arguments.rescale, gradientDecay: arguments.weightDecay,
                    gradientBound: arguments.clip ?? .infinity, parameterFactor: 1, beta1: beta1, beta2: beta2,
                    stepSize: arguments.learningRate * correction, correction: 1, epsilon: epsilon))
        }
        run(values.dtype.differentiable(for: "AdamRule"))
    }
}
