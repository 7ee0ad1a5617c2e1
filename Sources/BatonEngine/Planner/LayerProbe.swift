import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// Times windows of one layer of a language model, as a pipeline stage runs them.
final class LayerProbe {
    private let configuration: TrainingConfiguration
    private let stage: LanguageModelStage
    private let layer: Int
    private let repetitions: Int
    /// Where units are divided.
    private let rows: GradientRows?
    private var arena: ParameterArena

    /// - Parameter grid: of ranks that divide the hidden units; the measurements are then collective over them. nil does
    ///   not divide them.
    init(_ configuration: TrainingConfiguration, layer: Int, grid: ProcessGrid?, repetitions: Int) throws {
        self.configuration = configuration
        self.layer = layer
        self.repetitions = repetitions
        let model = LanguageModel(configuration.model, seed: 1, layers: layer..<layer + 1)
        let shard = try grid.flatMap { try HiddenShard($0) }
        stage = LanguageModelStage(model, shard: shard)
        rows = try shard.map { try GradientRows($0, of: model.recurrent.directions[model.layers]) }
        arena = ParameterArena(stage.model.parameters.reversed())
    }

    /// Seconds of the parts of one window.
    private struct Times {
        var begin = 0.0
        var forward = 0.0
        var backward = 0.0
        var weights = 0.0
    }

    /// The layer for some rows.
    ///
    /// - Parameters:
    ///   - passSeconds: about how long a pass over the steps measured may take.
    ///   - agree: the same number on all ranks.
    func measure(
        rows: Int, leaves: LeafPlan, passSeconds: Double, agree: (Double) throws -> Double
    ) throws -> MachineCosts.Layer {
        arena = ParameterArena(stage.model.parameters.reversed(), subtreeCount: leaves.subtrees.count)
        // The first window takes memory, and says how many steps there is time for.
        let first = min(8, configuration.stepsPerWindow)
        _ = try run(rows: rows, leaves, steps: first, calls: 1)
        let trial = try run(rows: rows, leaves, steps: first, calls: 1)
        let perStep = try agree(max(trial.forward, trial.backward, trial.weights) / Double(first))
        let steps = min(configuration.stepsPerWindow, max(first, Int(passSeconds / max(perStep, 1e-9))))
        let calls = min(steps, 8)
        if steps > first { _ = try run(rows: rows, leaves, steps: steps, calls: 1) }
        var (whole, cut): ([Times], [Times]) = ([], [])
        for _ in 0..<repetitions {
            whole.append(try run(rows: rows, leaves, steps: steps, calls: 1))
            cut.append(try run(rows: rows, leaves, steps: steps, calls: calls))
        }
        // On a shared machine the shortest time is the one least disturbed.
        func least(_ times: [Times], _ part: (Times) -> Double) -> Double {
            times.map(part).min() ?? 0
        }
        let both = { (times: Times) in times.forward + times.backward }
        let extra = calls > 1 ? (least(cut, both) - least(whole, both)) / Double(2 * (calls - 1)) : 0
        let count = Double(steps)
        return MachineCosts.Layer(
            rows: rows, begin: least(whole, \.begin), forward: least(whole, \.forward) / count,
            backward: least(whole, \.backward) / count, weights: least(whole, \.weights) / count,
            call: max(0, extra))
    }

    /// One window in so many ranges of steps each way.
    private func run(rows: Int, _ leaves: LeafPlan, steps: Int, calls: Int) throws -> Times {
        var times = Times()
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
        if !stage.model.holdsEmbedding { fill(window.recurrent.input) }
        if !stage.model.holdsDecoder { fill(window.recurrent.outputGradient()) }
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

    /// Ordinary numbers: kernels slow down on those that are almost zero.
    private func fill(_ tensor: Tensor) {
        let values = tensor.pointer(of: Float.self)
        for index in 0..<tensor.count { values[index] = Float(index % 37 - 18) / 18 }
    }

    /// What is done once a step for each parameter: zeroing its gradient, packing it, its norm and its update; and the
    /// hash.
    func measureUpdate() throws -> (update: Double, hash: Double) {
        let leaves = LeafPlan.whole(rows: 1)
        arena = ParameterArena(stage.model.parameters.reversed())
        let optimizer = configuration.makeOptimizer(arena)
        var (updates, hashes): ([Double], [Double]) = ([], [])
        _ = try run(rows: 1, leaves, steps: 1, calls: 1)
        for repetition in 0...repetitions {
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
        return ((updates.min() ?? 0) / count, (hashes.min() ?? 0) / count)
    }
}
