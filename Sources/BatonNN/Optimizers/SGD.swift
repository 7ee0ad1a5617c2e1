import BatonChecks
internal import BatonKernelABI
internal import BatonKernels
public import BatonTensor

/// Gradient descent with momentum: g ← g + λw; m ← μm + g; w ← w − ηm (w ← w − ηg if μ = 0).
///
/// Source: PyTorch `torch.optim.SGD` without dampening and Nesterov.
public final class SGD: Optimizer {
    /// η of the next step.
    public var learningRate: Double
    /// μ.
    public let momentum: Double
    /// λ.
    public let weightDecay: Double
    /// The parameters it updates.
    public let arena: ParameterArena
    /// Number of steps done.
    public private(set) var stepCount = 0
    private let velocity: Tensor?

    /// Momentum at zero.
    ///
    /// - Precondition: momentum ≥ 0, weightDecay ≥ 0.
    public init(_ arena: ParameterArena, learningRate: Double, momentum: Double = 0, weightDecay: Double = 0) {
        require(momentum >= 0 && weightDecay >= 0, "SGD: expected momentum and weightDecay ≥ 0")
        self.arena = arena
        self.learningRate = learningRate
        self.momentum = momentum
        self.weightDecay = weightDecay
        velocity = momentum > 0 ? Tensor(zeros: [arena.count], dtype: arena.dtype) : nil
    }

    /// `momentum` m, if μ > 0.
    public var states: [(name: String, values: Tensor)] { velocity.map { [("momentum", $0)] } ?? [] }

    /// One update.
    public func step(gradient: Tensor, gradientScale: Double) {
        check(gradient)
        func run<Scalar: DifferentiableScalar>(_: Scalar.Type) {
            Scalar.momentumUpdate(
                MomentumUpdateArguments(
                    parameter: arena.data.pointer(of: Scalar.self), gradient: gradient.pointer(of: Scalar.self),
                    momentum: velocity?.pointer(of: Scalar.self), count: arena.count, gradientScale: gradientScale,
                    weightDecay: weightDecay, decay: momentum, gradientFactor: 1, stepFactor: -learningRate))
        }
        run(arena.dtype.differentiable(for: "SGD"))
        stepCount += 1
        arena.markChanged()
    }

    /// Continues after that many steps.
    public func resume(stepCount: Int) { self.stepCount = stepCount }
}
