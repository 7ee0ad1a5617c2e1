import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// Times windows of one layer of a language model, as a pipeline stage runs them, without the output layer.
final class LayerProbe {
    private let configuration: TrainingConfiguration
    let stage: LanguageModelStage
    private let recomputation: Recomputation?
    /// Where units are divided.
    private let rows: GradientRows?
    private let arena: ParameterArena

    /// - Parameters:
    ///   - grid: of ranks that divide the hidden units; the measurements are then collective over them. nil does not
    ///     divide them.
    ///   - subtreeCount: gradients, as many as any piece has subtrees.
    init(
        _ configuration: TrainingConfiguration, layer: Int, grid: ProcessGrid?, recomputation: Recomputation?,
        subtreeCount: Int
    ) throws {
        self.configuration = configuration
        self.recomputation = recomputation
        let model = LanguageModel(configuration.model, seed: 1, layers: layer..<layer + 1)
        let shard = try grid.flatMap { try HiddenShard($0) }
        // A stage that spreads the output layer leaves it to others.
        stage = LanguageModelStage(model, shard: shard, spreadsOutput: true)
        rows = try shard.map { try GradientRows($0, of: model.recurrent.directions[model.layers]) }
        arena = Self.arena(model, subtreeCount: subtreeCount)
    }

    private static func arena(_ model: LanguageModel, subtreeCount: Int) -> ParameterArena {
        let output = Set(model.decoder.collectParameters().map(ObjectIdentifier.init))
        return ParameterArena(
            model.parameters.reversed().filter { !output.contains(ObjectIdentifier($0)) }, subtreeCount: subtreeCount)
    }

    /// The layer for some rows.
    ///
    /// - Parameter isCut: whether ranges of steps are to be timed too.
    func piece(rows: Int, leaves: LeafPlan, isCut: Bool = true) -> ProbePiece {
        // A window cut short must not choose another chunk than the whole one.
        let model = configuration.model
        let shape = RecurrentShape(cell: model.cell, inputChains: [stage.inputWidth], hidden: model.hidden)
        let chunk = recomputation?.chunk(shape, steps: configuration.stepsPerWindow, leaves: leaves)
        return ProbePiece(rows: rows, recomputed: chunk, isCut: isCut) { [self] steps, calls in
            stage.model.recurrent.recomputation = chunk.map { .chunks(of: $0) }
            return try run(rows: rows, leaves, steps: steps, calls: calls)
        }
    }

    /// One window in so many ranges of steps each way.
    private func run(rows: Int, _ leaves: LeafPlan, steps: Int, calls: Int) throws -> WindowTimes {
        var times = WindowTimes()
        arena.select(gradients: 0..<leaves.subtrees.count)
        let size = Double(configuration.model.vocabularySize)
        let stream = RandomStream(seed: 1, name: "probe")
        let tokens = (0..<steps * rows).map { Int32(stream.uniform(UInt64($0)) * size) }
        let inputs = Tensor(uninitialized: [steps, rows], dtype: .int32)
        inputs.pointer(of: Int32.self).update(from: tokens, count: tokens.count)
        let hook = StepHook(function: nil, context: nil)
        let ranges = (0..<calls).map { $0 * steps / calls..<($0 + 1) * steps / calls }
        var watch = StopWatch()
        let window = try LanguageModelWindow(
            stage,
            LanguageModelWindow.Content(
                inputs: inputs, targets: inputs, rows: 0..<rows, initial: stage.beginState(rows: rows),
                final: stage.beginState(rows: rows), leaves: leaves),
            training: LanguageModelWindow.Training(
                random: RandomKey(seed: 1), gradientScale: 1 / Double(rows * steps)))
        times.begin = watch.lap()
        if !stage.model.holdsEmbedding { window.recurrent.input.fillForProbe() }
        window.recurrent.outputGradient().fillForProbe()
        _ = watch.lap()
        for range in ranges { try window.forward(steps: range, hook: hook) }
        times.forward = watch.lap()
        for range in ranges.reversed() { try window.backward(steps: range, hook: hook) }
        times.backward = watch.lap()
        var completing = 0.0
        try window.backwardWeights(hook: hook) { parameter throws(CommError) in
            guard let rows = self.rows else { return }
            var watch = StopWatch()
            try rows.complete(
                parameter, parameter.gradientDestinations(leaves.subtrees.count).map { $0.pointer(of: Float.self) })
            completing += watch.lap()
        }
        // Bringing the rows of a gradient together takes as long for few steps as for many.
        times.weights = watch.lap() - completing
        times.begin += completing
        return times
    }

    /// What is done once a step for each parameter: zeroing its gradient, packing it, its norm and its update; and the
    /// hash.
    func measureUpdate(_ rounds: ProbeRounds) throws -> (update: Double, hash: Double) {
        let leaves = LeafPlan.whole(rows: 1)
        let optimizer = configuration.makeOptimizer(arena)
        var (updates, hashes): ([Double], [Double]) = ([], [])
        _ = try run(rows: 1, leaves, steps: 1, calls: 1)
        for repetition in 0...5 {
            var watch = StopWatch()
            arena.beginStep()
            var seconds = watch.lap()
            arena.markChanged()
            seconds += try run(rows: 1, leaves, steps: 1, calls: 1).begin
            seconds -= try run(rows: 1, leaves, steps: 1, calls: 1).begin
            _ = watch.lap()
            _ = GradientNorm.squares(arena, gradient: arena.gradients[0])
            optimizer.step(gradient: arena.gradients[0], gradientScale: 0.5)
            seconds += watch.lap()
            for slot in arena.slotsByName { _ = ParameterHash.digest(slot.parameter) }
            // The first repetition takes memory.
            if repetition > 0 {
                updates.append(seconds)
                hashes.append(watch.lap())
            }
        }
        let count = Double(arena.count)
        return (max(0, try rounds.slowest(updates)) / count, try rounds.slowest(hashes) / count)
    }
}

extension Tensor {
    /// Ordinary numbers: kernels slow down on those that are almost zero.
    func fillForProbe() {
        let values = pointer(of: Float.self)
        for index in 0..<count { values[index] = Float(index % 37 - 18) / 18 }
    }
}
