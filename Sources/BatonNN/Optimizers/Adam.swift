import BatonChecks
public import BatonTensor

/// Adam: g ← g + λw; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
///
/// Source: Kingma & Ba 2015, arXiv:1412.6980, in the form of PyTorch `torch.optim.Adam`.
public class Adam: Optimizer {
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
    /// Whether λ shrinks the parameters themselves instead of entering g (see `AdamW`).
    let decouplesDecay: Bool
    /// The parameters it updates.
    public let arena: ParameterArena
    /// Number of steps done.
    public private(set) var stepCount = 0
    private let moments: AdamMoments

    /// Moments at zero; PyTorch's defaults.
    public convenience init(
        _ arena: ParameterArena, learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0
    ) {
        self.init(
            arena, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
            weightDecay: weightDecay, decouplesDecay: false)
    }

    init(
        _ arena: ParameterArena, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
        weightDecay: Double, decouplesDecay: Bool
    ) {
        require((0..<1).contains(beta1) && (0..<1).contains(beta2), "Adam: expected betas in [0, 1)")
        self.arena = arena
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.decouplesDecay = decouplesDecay
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
            beta2: beta2, epsilon: epsilon, gradientDecay: decouplesDecay ? 0 : weightDecay,
            parameterFactor: decouplesDecay ? 1 - learningRate * weightDecay : 1, step: stepCount)
        arena.markChanged()
    }

    /// Continues after that many steps.
    public func resume(stepCount: Int) { self.stepCount = stepCount }
}
