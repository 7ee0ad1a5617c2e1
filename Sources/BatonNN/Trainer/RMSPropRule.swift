import BatonChecks
internal import BatonKernelABI
internal import BatonKernels
public import BatonTensor

/// n ← γ₁n + (1−γ₁)g²; w ← w − η·g/√(n + ε). Centred, also ḡ ← γ₁ḡ + (1−γ₁)g and
/// δ ← γ₂δ − η·g/√(n − ḡ² + ε), w ← w + δ.
///
/// Source: Tieleman & Hinton 2012; Graves 2013, arXiv:1308.0850, equations 38–45; Gluon `RMSProp`.
public struct RMSPropRule: UpdateRule {
    /// γ₁.
    public let gamma1: Double
    /// γ₂, of the centred form.
    public let gamma2: Double
    /// ε.
    public let epsilon: Double
    /// Whether the mean is taken out of the mean square.
    public let centered: Bool
    /// Bound of every parameter element after the update; nil is none.
    public let clipWeights: Double?
    /// λ.
    public let weightDecay: Double
    /// Bound of every rescaled gradient element; nil is none.
    public let clipGradient: Double?
    /// Gluon's.
    public var defaultLearningRate: Double { 0.001 }
    /// In the order of the formula.
    public var stateNames: [String] { centered ? ["square", "mean", "delta"] : ["square"] }

    /// Gluon's defaults.
    public init(
        gamma1: Double = 0.9, gamma2: Double = 0.9, epsilon: Double = 1e-8, centered: Bool = false,
        clipWeights: Double? = nil, weightDecay: Double = 0, clipGradient: Double? = nil
    ) {
        require(
            (0..<1).contains(gamma1) && (0..<1).contains(gamma2) && epsilon >= 0,
            "RMSPropRule: expected gamma1 and gamma2 in [0, 1) and epsilon ≥ 0, got \(gamma1), \(gamma2) and \(epsilon)"
        )
        self.gamma1 = gamma1
        self.gamma2 = gamma2
        self.epsilon = epsilon
        self.centered = centered
        self.clipWeights = clipWeights
        self.weightDecay = weightDecay
        self.clipGradient = clipGradient
    }

    /// See the formula of the type.
    public func update(_ values: Tensor, gradient: Tensor, states: [Tensor], _ arguments: UpdateArguments) {
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            let memory = states.map { $0.pointer(of: Scalar.self) }
            Scalar.rmsPropUpdate(
                RMSPropUpdateArguments(
                    parameter: values.pointer(of: Scalar.self), gradient: gradient.pointer(of: Scalar.self),
                    square: memory[0], centre: centered ? (mean: memory[1], delta: memory[2]) : nil,
                    count: values.count, gradientScale: arguments.rescale, gradientDecay: arguments.weightDecay,
                    gradientBound: arguments.clip ?? .infinity, parameterBound: clipWeights ?? .infinity,
                    gamma1: gamma1, gamma2: gamma2, learningRate: arguments.learningRate, epsilon: epsilon))
        }
        run(values.dtype.differentiable(for: "RMSPropRule"))
    }
}
