import BatonChecks
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
        switch values.dtype {
        case .float32: run(ElementUpdate<Float>(values, gradient, states, arguments), arguments)
        default: run(ElementUpdate<Double>(values, gradient, states, arguments), arguments)
        }
    }

    private func run<Scalar: DifferentiableScalar>(_ element: ElementUpdate<Scalar>, _ arguments: UpdateArguments) {
        let (rate, decay) = (Scalar(arguments.learningRate), Scalar(momentum))
        for index in 0..<element.count {
            let gradient = element.gradient(index)
            if momentum > 0 {
                let step = decay * element.states[0][index] - rate * gradient
                element.states[0][index] = step
                element.values[index] += step
            } else {
                element.values[index] -= rate * gradient
            }
        }
    }
}
