/// One step of gradient descent with momentum on `count` elements:
/// g ← clip(s·g) + λ·w; m ← μ·m + a·g; w ← w + b·m, and without momentum w ← w + ab·g.
///
/// a = 1 and b = −η keep gradients in m, as PyTorch does; a = −η and b = 1 keep steps, as MXNet does.
public struct MomentumUpdateArguments<Scalar> {
    /// w, updated.
    public var parameter: UnsafeMutablePointer<Scalar>
    /// g.
    public var gradient: UnsafePointer<Scalar>
    /// m; nil if μ = 0.
    public var momentum: UnsafeMutablePointer<Scalar>?
    /// Number of elements.
    public var count: Int
    /// s, applied to the gradient first (clipping of the norm, size of the batch).
    public var gradientScale: Double
    /// Bound of every element of s·g; NaN stays.
    public var gradientBound: Double
    /// λ.
    public var weightDecay: Double
    /// μ.
    public var decay: Double
    /// a.
    public var gradientFactor: Double
    /// b.
    public var stepFactor: Double

    /// All fields, in order.
    public init(
        parameter: UnsafeMutablePointer<Scalar>, gradient: UnsafePointer<Scalar>,
        momentum: UnsafeMutablePointer<Scalar>?, count: Int, gradientScale: Double, gradientBound: Double = .infinity,
        weightDecay: Double, decay: Double, gradientFactor: Double, stepFactor: Double
    ) {
        self.parameter = parameter
        self.gradient = gradient
        self.momentum = momentum
        self.count = count
        self.gradientScale = gradientScale
        self.gradientBound = gradientBound
        self.weightDecay = weightDecay
        self.decay = decay
        self.gradientFactor = gradientFactor
        self.stepFactor = stepFactor
    }
}

/// One step of Adam on `count` elements: g ← clip(s·g + λ·w); w ← κ·w; m ← m + (1−β₁)(g − m);
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
    /// s, applied to the gradient first (clipping of the norm, size of the batch).
    public var gradientScale: Double
    /// λ: decay added to the gradient (Adam); 0 for AdamW.
    public var gradientDecay: Double
    /// Bound of every element of s·g + λ·w; NaN stays.
    public var gradientBound: Double
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
        gradientScale: Double, gradientDecay: Double, gradientBound: Double = .infinity, parameterFactor: Double,
        beta1: Double, beta2: Double,
        stepSize: Double, correction: Double, epsilon: Double
    ) {
        self.parameter = parameter
        self.gradient = gradient
        self.firstMoment = firstMoment
        self.secondMoment = secondMoment
        self.count = count
        self.gradientScale = gradientScale
        self.gradientDecay = gradientDecay
        self.gradientBound = gradientBound
        self.parameterFactor = parameterFactor
        self.beta1 = beta1
        self.beta2 = beta2
        self.stepSize = stepSize
        self.correction = correction
        self.epsilon = epsilon
    }
}

/// One step of RMSProp on `count` elements: g ← clip(s·g + λ·w); n ← γ₁·n + (1−γ₁)·g²; w ← w − η·g/√(n + ε). Centred,
/// also ḡ ← γ₁·ḡ + (1−γ₁)·g; δ ← γ₂·δ − η·g/√(n − ḡ² + ε), w ← w + δ. Then w ← clip(w).
public struct RMSPropUpdateArguments<Scalar> {
    /// w, updated.
    public var parameter: UnsafeMutablePointer<Scalar>
    /// g.
    public var gradient: UnsafePointer<Scalar>
    /// n.
    public var square: UnsafeMutablePointer<Scalar>
    /// ḡ and δ; nil unless centred.
    public var centre: (mean: UnsafeMutablePointer<Scalar>, delta: UnsafeMutablePointer<Scalar>)?
    /// Number of elements.
    public var count: Int
    /// s, applied to the gradient first.
    public var gradientScale: Double
    /// λ.
    public var gradientDecay: Double
    /// Bound of every element of s·g + λ·w; NaN stays.
    public var gradientBound: Double
    /// Bound of every element of w; NaN stays.
    public var parameterBound: Double
    /// γ₁.
    public var gamma1: Double
    /// γ₂.
    public var gamma2: Double
    /// η.
    public var learningRate: Double
    /// ε.
    public var epsilon: Double

    /// All fields, in order.
    public init(
        parameter: UnsafeMutablePointer<Scalar>, gradient: UnsafePointer<Scalar>, square: UnsafeMutablePointer<Scalar>,
        centre: (mean: UnsafeMutablePointer<Scalar>, delta: UnsafeMutablePointer<Scalar>)?, count: Int,
        gradientScale: Double, gradientDecay: Double, gradientBound: Double, parameterBound: Double, gamma1: Double,
        gamma2: Double, learningRate: Double, epsilon: Double
    ) {
        self.parameter = parameter
        self.gradient = gradient
        self.square = square
        self.centre = centre
        self.count = count
        self.gradientScale = gradientScale
        self.gradientDecay = gradientDecay
        self.gradientBound = gradientBound
        self.parameterBound = parameterBound
        self.gamma1 = gamma1
        self.gamma2 = gamma2
        self.learningRate = learningRate
        self.epsilon = epsilon
    }
}
