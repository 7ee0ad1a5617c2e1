import BatonChecks
internal import BatonKernelABI
internal import BatonKernels
public import BatonTensor

/// m ← μm − η·g, w ← w + m; without momentum w ← w − η·g. Source: Gluon `SGD` (parity 1.10).
public struct SGDRule: UpdateRule {
    /// μ.
    public let momentum: Double
    /// λ.
    public let weightDecay: Double
    /// Bound of every rescaled gradient element; nil is none.
    public let clipGradient: Double?
    /// Gluon's.
    public var defaultLearningRate: Double { 0.01 }
    /// In the order of the formula.
    public var stateNames: [String] { momentum > 0 ? ["momentum"] : [] }

    /// Gluon's defaults.
    ///
    /// - Precondition: momentum ≥ 0.
    public init(momentum: Double = 0, weightDecay: Double = 0, clipGradient: Double? = nil) {
        require(momentum >= 0, "SGDRule: expected momentum ≥ 0, got \(momentum)")
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.clipGradient = clipGradient
    }

    /// See the formula of the type.
    public func update(_ values: Tensor, gradient: Tensor, states: [Tensor], _ arguments: UpdateArguments) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.momentumUpdate(
                MomentumUpdateArguments(
                    parameter: values.pointer(of: Scalar.self), gradient: gradient.pointer(of: Scalar.self),
                    momentum: states.first?.pointer(of: Scalar.self), count: values.count,
                    gradientScale: arguments.rescale, gradientBound: arguments.clip ?? .infinity,
                    weightDecay: arguments.weightDecay, decay: momentum, gradientFactor: -arguments.learningRate,
                    stepFactor: 1))
        }
        run(values.dtype.differentiable(for: "SGDRule"))
    }
}
