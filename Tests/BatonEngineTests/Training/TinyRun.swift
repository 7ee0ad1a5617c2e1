import BatonComm
import BatonKernels
import BatonNN
import BatonTensor

@testable import BatonEngine

/// A training run small enough for tests, of sizes that divide nothing: 11 lanes (8 leaves of one or two), windows of
/// 7 steps, 5 windows per epoch, 2×19 units. Twelve steps cross two ends of an epoch.
enum TinyRun {
    static let vocabularySize = 13

    static func configuration(
        _ cell: RecurrentKind = .lstm, layers: Int = 2, batch: Int = 11, dropout: Double = 0.3, clip: Double? = 0.1,
        optimizer: TrainingConfiguration.OptimizerKind = .adam, learningRate: Double = 0.01
    ) throws -> TrainingConfiguration {
        TrainingConfiguration(
            model: try LanguageModelConfiguration(
                cell: cell, vocabularySize: vocabularySize, embedding: 6, hidden: 19, layers: layers, dropout: dropout),
            batch: batch, stepsPerWindow: 7, totalSteps: 12, optimizer: optimizer, learningRate: learningRate,
            schedule: .linear(finalFraction: 0.1), weightDecay: 0.01, momentum: optimizer == .sgd ? 0.9 : 0, clip: clip,
            seed: 5, leafCount: LeafPlan.leafCount(rows: batch))
    }

    /// A text without visible pattern.
    static let tokens: [Int32] = tokens(count: 11 * 7 * 5 + 9)

    static func tokens(count: Int) -> [Int32] {
        (0..<count).map { index in
            var bits = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            bits = (bits ^ bits >> 29) &* 0xBF58_476D_1CE4_E5B9
            return Int32(bits >> 33) % Int32(vocabularySize)
        }
    }

    /// What must have the same bits in every layout.
    struct Bits: Equatable {
        var loss: UInt64
        var norm: UInt64
        /// Of all parameters.
        var parameters: UInt64
    }

    /// Steps until so many are done.
    static func train(_ trainer: LanguageModelTrainer, to lastStep: Int = 12) throws -> [Bits] {
        var result: [Bits] = []
        while trainer.stepsDone < lastStep {
            let metrics = try trainer.step()
            result.append(
                Bits(
                    loss: metrics.loss.bitPattern, norm: metrics.gradientNorm.bitPattern,
                    parameters: try hash(trainer)))
        }
        return result
    }

    /// Of the whole model, on every rank: also of replicas that do not compute it for the log.
    private static func hash(_ trainer: LanguageModelTrainer) throws -> UInt64 {
        if trainer.grid.layout.stages == 1 { return ParameterHash.hash(trainer.arena.slots.map(\.parameter)) }
        let snapshot = try trainer.snapshot()
        let model = LanguageModel(trainer.configuration.model, seed: 0)
        for (named, value) in zip(model.pyTorchNames, snapshot.parameters) { named.parameter.setData(value.tensor) }
        return ParameterHash.hash(model.parameters)
    }

    static func trainer(
        _ configuration: TrainingConfiguration, tokens: [Int32] = tokens, on communicator: any Communicator
    ) throws -> LanguageModelTrainer {
        try LanguageModelTrainer(configuration, tokens: tokens, communicator: communicator)
    }
}

extension TrainingSnapshot {
    /// With memory of its own, so that the trainer may go on.
    func copied() -> TrainingSnapshot {
        var copy = self
        copy.parameters = parameters.map { ($0.name, $0.tensor.copy()) }
        copy.optimizer = optimizer.map { ($0.name, $0.tensor.copy()) }
        copy.states = states.map { $0.copy() }
        return copy
    }
}

extension TinyRun {
    /// The layouts of so many ranks over replicas, stages and, with the packed kernels, shards.
    static func layouts(ranks: Int, layers: Int, shards: Bool = true) -> [ParallelLayout] {
        let divisors = (1...ranks).filter { ranks % $0 == 0 }
        return divisors.flatMap { shardCount in
            divisors.filter { ranks / shardCount % $0 == 0 && $0 <= layers }
                .map { ParallelLayout(replicas: ranks / shardCount / $0, stages: $0, shards: shardCount) }
        }.filter { $0.shards == 1 || shards && KernelSelection.active.backend == .packed }
    }

    static func trainer(
        _ configuration: TrainingConfiguration, tokens: [Int32] = tokens, grid: ProcessGrid,
        schedule: ScheduleKind = .wavefront, recomputation: Recomputation? = nil, output: OutputPlacement? = nil
    ) throws -> LanguageModelTrainer {
        try LanguageModelTrainer(
            configuration, tokens: tokens, grid: grid, schedule: schedule, recomputation: recomputation,
            output: output)
    }
}
