public import BatonTensor

/// Adam with decoupled weight decay: w ← (1 − ηλ)w, then Adam's step without λ.
///
/// Source: Loshchilov & Hutter 2019, arXiv:1711.05101, in the form of PyTorch `torch.optim.AdamW`.
public final class AdamW: Optimizer {
    /// η of the next step.
    public var learningRate: Double
    /// β₁.
    public let beta1: Double
    /// β₂.
    public let beta2: Double
    /// ε.
    public let epsilon: Double
    /// λ.
    public let weightDecay: Double
    /// The parameters it updates.
    public let arena: ParameterArena
    /// Number of steps done.
    public private(set) var stepCount = 0
    private let moments: AdamMoments

    /// Moments at zero; PyTorch's defaults.
    public init(
        _ arena: ParameterArena, learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 1e-2
    ) {
        precondition((0..<1).contains(beta1) && (0..<1).contains(beta2), "AdamW: expected betas in [0, 1)")
        self.arena = arena
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        moments = AdamMoments(arena)
    }

    /// `first_moment` m and `second_moment` v.
    public var states: [(name: String, values: Tensor)] { moments.states }

    /// One update.
    public func step(gradient: Tensor, gradientScale: Double) {
        check(gradient)
        stepCount += 1
        moments.update(
            arena, gradient: gradient, gradientScale: gradientScale, learningRate: learningRate, beta1: beta1,
            beta2: beta2, epsilon: epsilon, gradientDecay: 0,
            parameterFactor: 1 - learningRate * weightDecay, step: stepCount)
        arena.markChanged()
    }

    /// Continues after that many steps.
    public func resume(stepCount: Int) { self.stepCount = stepCount }
}
