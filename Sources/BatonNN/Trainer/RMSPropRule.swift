import BatonChecks
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
        switch values.dtype {
        case .float32: run(ElementUpdate<Float>(values, gradient, states, arguments), arguments)
        default: run(ElementUpdate<Double>(values, gradient, states, arguments), arguments)
        }
    }

    private func run<Scalar: DifferentiableScalar>(_ element: ElementUpdate<Scalar>, _ arguments: UpdateArguments) {
        let (rate, epsilon) = (Scalar(arguments.learningRate), Scalar(epsilon))
        let (first, second) = (Scalar(gamma1), Scalar(gamma2))
        let bound = clipWeights.map { Scalar($0) }
        for index in 0..<element.count {
            let gradient = element.clippedWithDecay(index)
            let square = first * element.states[0][index] + (1 - first) * gradient * gradient
            element.states[0][index] = square
            if centered {
                let mean = first * element.states[1][index] + (1 - first) * gradient
                element.states[1][index] = mean
                let delta =
                    second * element.states[2][index] - rate * gradient
                    / (square - mean * mean + epsilon).squareRoot()
                element.states[2][index] = delta
                element.values[index] += delta
            } else {
                element.values[index] -= rate * gradient / (square + epsilon).squareRoot()
            }
            if let bound { element.values[index] = min(max(element.values[index], -bound), bound) }
        }
    }
}
