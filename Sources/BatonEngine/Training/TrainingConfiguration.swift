public import BatonNN
import BatonTensor

/// Everything that decides the numbers of a training run. Processes and layouts are not in it: they decide nothing.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
    /// The optimisers `train` offers.
    public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
        case sgd, adam, adamw
    }

    public var model: LanguageModelConfiguration
    /// B, lanes of text over all ranks.
    public var batch: Int
    /// T.
    public var stepsPerWindow: Int
    /// Steps of the whole run, to which the learning-rate schedule refers.
    public var totalSteps: Int
    public var optimizer: OptimizerKind
    public var learningRate: Double
    public var schedule: LearningRateSchedule
    public var weightDecay: Double
    public var momentum: Double
    /// Largest global gradient norm; nil does not clip.
    public var clip: Double?
    public var seed: UInt64
    /// Leaves of the gradient tree (see `LeafPlan`).
    public var leafCount: Int

    public init(
        model: LanguageModelConfiguration, batch: Int, stepsPerWindow: Int, totalSteps: Int,
        optimizer: OptimizerKind, learningRate: Double, schedule: LearningRateSchedule, weightDecay: Double,
        momentum: Double, clip: Double?, seed: UInt64, leafCount: Int
    ) {
        self.model = model
        self.batch = batch
        self.stepsPerWindow = stepsPerWindow
        self.totalSteps = totalSteps
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.schedule = schedule
        self.weightDecay = weightDecay
        self.momentum = momentum
        self.clip = clip
        self.seed = seed
        self.leafCount = leafCount
    }

    /// η of a step, counted from 0.
    public func learningRate(step: Int) -> Double {
        learningRate * schedule.factor(step: step, totalSteps: totalSteps)
    }

    /// An optimiser over the arena.
    func makeOptimizer(_ arena: ParameterArena) -> any Optimizer {
        switch optimizer {
        case .sgd: SGD(arena, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
        case .adam: Adam(arena, learningRate: learningRate, weightDecay: weightDecay)
        case .adamw: AdamW(arena, learningRate: learningRate, weightDecay: weightDecay)
        }
    }
}
