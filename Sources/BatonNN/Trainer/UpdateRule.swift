import BatonChecks
public import BatonTensor
internal import Glibc

/// What an update of one parameter depends on beside the parameter.
public struct UpdateArguments: Sendable {
    /// η, times the parameter's multiplier.
    public var learningRate: Double
    /// λ, times the parameter's multiplier.
    public var weightDecay: Double
    /// Factor of the gradient: 1 / batch size.
    public var rescale: Double
    /// Bound of every rescaled gradient element; nil is none.
    public var clip: Double?
    /// Number of the parameter's update, from 1.
    public var update: Int
}

/// An optimiser of Gluon, parameter by parameter; used by `Trainer`. (`Optimizer` is the flat one of the engine, with
/// PyTorch's formulas.)
///
/// All rules begin with a gradient that is rescaled, clipped and decayed: g ← clip(rescale·g) + λw for `SGDRule`,
/// g ← clip(rescale·g + λw) for the others, as MXNet 1.9.1 computes.
public protocol UpdateRule: Sendable {
    /// η where none is given.
    var defaultLearningRate: Double { get }
    /// λ.
    var weightDecay: Double { get }
    /// Bound of every rescaled gradient element; nil is none.
    var clipGradient: Double? { get }
    /// Names of the states, each of the parameter's shape, which begin at zero.
    var stateNames: [String] { get }
    /// Changes the values and the states.
    func update(_ values: Tensor, gradient: Tensor, states: [Tensor], _ arguments: UpdateArguments)
}

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
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
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
        let exponent = Double(arguments.update)
        let correction = (1 - pow(beta2, exponent)).squareRoot() / (1 - pow(beta1, exponent))
        let rate = Scalar(arguments.learningRate * correction)
        let (first, second, epsilon) = (Scalar(beta1), Scalar(beta2), Scalar(epsilon))
        let (mean, variance) = (element.states[0], element.states[1])
        for index in 0..<element.count {
            let gradient = element.clippedWithDecay(index)
            mean[index] = first * mean[index] + (1 - first) * gradient
            variance[index] = second * variance[index] + (1 - second) * gradient * gradient
            element.values[index] -= rate * mean[index] / (variance[index].squareRoot() + epsilon)
        }
    }
}

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

/// Memory of one parameter under update, of a concrete element type so that the loops are specialised.
struct ElementUpdate<Scalar: DifferentiableScalar> {
    let values: UnsafeMutablePointer<Scalar>
    let states: [UnsafeMutablePointer<Scalar>]
    let count: Int
    private let source: UnsafeMutablePointer<Scalar>
    private let rescale: Scalar
    private let decay: Scalar
    private let bound: Scalar

    init(_ values: Tensor, _ gradient: Tensor, _ states: [Tensor], _ arguments: UpdateArguments) {
        self.values = values.pointer(of: Scalar.self)
        self.states = states.map { $0.pointer(of: Scalar.self) }
        count = values.count
        source = gradient.pointer(of: Scalar.self)
        rescale = Scalar(arguments.rescale)
        decay = Scalar(arguments.weightDecay)
        bound = arguments.clip.map { Scalar($0) } ?? .infinity
    }

    /// clip(rescale·g) + λw; NaN stays.
    @inline(__always) func gradient(_ index: Int) -> Scalar { clipped(rescale * source[index]) + decay * values[index] }

    /// clip(rescale·g + λw); NaN stays.
    @inline(__always) func clippedWithDecay(_ index: Int) -> Scalar {
        clipped(rescale * source[index] + decay * values[index])
    }

    @inline(__always) private func clipped(_ value: Scalar) -> Scalar {
        value > bound ? bound : value < -bound ? -bound : value
    }
}
