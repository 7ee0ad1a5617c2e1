import BatonChecks
public import BatonComm
public import BatonNN
import BatonKernels
import BatonTensor

/// Everything that decides the numbers of a training run. Processes and layouts are not in it: they decide nothing.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
    /// The optimisers `train` offers.
    public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
        case sgd, adam, adamw
    }

    /// The model.
    public var model: LanguageModelConfiguration
    /// B, lanes of text over all ranks.
    public var batch: Int
    /// T.
    public var stepsPerWindow: Int
    /// Steps of the whole run, to which the learning-rate schedule refers.
    public var totalSteps: Int
    /// The optimiser.
    public var optimizer: OptimizerKind
    /// Learning rate the schedule starts from.
    public var learningRate: Double
    /// How the learning rate changes over the run.
    public var schedule: LearningRateSchedule
    /// Weight decay of the optimiser.
    public var weightDecay: Double
    /// Momentum of SGD.
    public var momentum: Double
    /// Largest global gradient norm; nil does not clip.
    public var clip: Double?
    /// Seed of all random numbers.
    public var seed: UInt64
    /// Leaves of the gradient tree (see `LeafPlan`).
    public var leafCount: Int

    /// All values at once.
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

    /// Throws unless every figure is in its range; to be called on a decoded configuration.
    ///
    /// - Throws: `EngineError` naming the first figure out of range.
    public func check() throws(EngineError) {
        try model.check()
        // Steps and rows are 32-bit words of the random numbers' key.
        let largest = Int(Int32.max)
        for (name, value) in [
            ("batch", batch), ("number of steps per window", stepsPerWindow), ("length of the run", totalSteps),
        ] where !(1...largest).contains(value) {
            throw EngineError("The \(name) is \(value) where 1 to \(largest) is expected.")
        }
        let mostLeaves = LeafPlan.leafCount(rows: batch)
        guard leafCount >= 1, leafCount & (leafCount - 1) == 0, leafCount <= mostLeaves else {
            throw EngineError(
                "The gradient tree has \(counted(leafCount, "leaf", "leaves")) where a power of two up to \(mostLeaves) is expected."
            )
        }
        // Written so that NaN is refused too.
        guard learningRate > 0, learningRate.isFinite else {
            throw EngineError("The learning rate is \(learningRate) where a number above 0 is expected.")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw EngineError("The weight decay is \(weightDecay) where 0 or more is expected.")
        }
        guard momentum >= 0, momentum < 1 else {
            throw EngineError("The momentum is \(momentum) where 0 or more and less than 1 is expected.")
        }
        if let clip, !(clip > 0 && clip.isFinite) {
            throw EngineError("The largest gradient norm is \(clip) where a number above 0 is expected.")
        }
    }

    /// Throws unless a layout can train this.
    ///
    /// - Throws: `EngineError` naming the factor that does not fit.
    public func check(_ layout: ParallelLayout) throws(EngineError) {
        guard layout.directions == 1 else {
            throw EngineError(
                "The layout \(layout) splits directions, but a language model has one; leave out dir.")
        }
        try HiddenShard.check(layout)
        guard layout.replicas <= leafCount else {
            throw EngineError(
                "\(layout.replicas) ranks do not fit a batch of \(counted(batch, "lane")), which has \(counted(leafCount, "leaf", "leaves")); use at most \(counted(leafCount, "rank")) or more lanes."
            )
        }
        _ = try StagePartition(model, stages: layout.stages)
    }

    /// 1 / number of targets of a global batch.
    var gradientScale: Double { 1 / Double(batch * stepsPerWindow) }

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
