/// One step of gradient descent with momentum on `count` elements:
/// g ← s·g + λ·w; m ← μ·m + g; w ← w − η·m, and without momentum w ← w − η·g.
public struct MomentumUpdateArguments<Scalar> {
    /// w, updated.
    public var parameter: UnsafeMutablePointer<Scalar>
    /// g.
    public var gradient: UnsafePointer<Scalar>
    /// m; nil if μ = 0.
    public var momentum: UnsafeMutablePointer<Scalar>?
    /// Number of elements.
    public var count: Int
    /// s, applied to the gradient first (clipping).
    public var gradientScale: Double
    /// η.
    public var learningRate: Double
    /// μ.
    public var decay: Double
    /// λ.
    public var weightDecay: Double

    /// All fields, in order.
    public init(
        parameter: UnsafeMutablePointer<Scalar>, gradient: UnsafePointer<Scalar>,
        momentum: UnsafeMutablePointer<Scalar>?, count: Int, gradientScale: Double, learningRate: Double,
        decay: Double, weightDecay: Double
    ) {
        self.parameter = parameter
        self.gradient = gradient
        self.momentum = momentum
        self.count = count
        self.gradientScale = gradientScale
        self.learningRate = learningRate
        self.decay = decay
        self.weightDecay = weightDecay
    }
}

/// One step of Adam on `count` elements: g ← s·g + λ·w; w ← κ·w; m ← m + (1−β₁)(g − m);
/// v ← β₂·v + (1−β₂)·g²; w ← w − a·m / (√v / b + ε).
public struct AdamUpdateArguments<Scalar> {
    /// w, updated.
    public var parameter: UnsafeMutablePointer<Scalar>
    /// g.
    public var gradient: UnsafePointer<Scalar>
    /// m.
    public var firstMoment: UnsafeMutablePointer<Scalar>
    /// v.
    public var secondMoment: UnsafeMutablePointer<Scalar>
    /// Number of elements.
    public var count: Int
    /// s, applied to the gradient first (clipping).
    public var gradientScale: Double
    /// λ: decay added to the gradient (Adam); 0 for AdamW.
    public var gradientDecay: Double
    /// κ: factor of the parameter (AdamW: 1 − ηλ); 1 for Adam.
    public var parameterFactor: Double
    /// β₁.
    public var beta1: Double
    /// β₂.
    public var beta2: Double
    /// a = η / (1 − β₁ᵗ).
    public var stepSize: Double
    /// b = √(1 − β₂ᵗ).
    public var correction: Double
    /// ε.
    public var epsilon: Double

    /// All fields, in order.
    public init(
        parameter: UnsafeMutablePointer<Scalar>, gradient: UnsafePointer<Scalar>,
        firstMoment: UnsafeMutablePointer<Scalar>, secondMoment: UnsafeMutablePointer<Scalar>, count: Int,
        gradientScale: Double, gradientDecay: Double, parameterFactor: Double, beta1: Double, beta2: Double,
        stepSize: Double, correction: Double, epsilon: Double
    ) {
        self.parameter = parameter
        self.gradient = gradient
        self.firstMoment = firstMoment
        self.secondMoment = secondMoment
        self.count = count
        self.gradientScale = gradientScale
        self.gradientDecay = gradientDecay
        self.parameterFactor = parameterFactor
        self.beta1 = beta1
        self.beta2 = beta2
        self.stepSize = stepSize
        self.correction = correction
        self.epsilon = epsilon
    }
}
