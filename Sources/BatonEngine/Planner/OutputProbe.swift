import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// Times the output layer of a language model with its loss, as the stage that holds it runs them.
final class OutputProbe {
    private let configuration: TrainingConfiguration
    private let stage: LanguageModelStage
    private let decoder: [Parameter]
    private let arena: ParameterArena

    /// - Parameter subtreeCount: gradients, as many as any piece has subtrees.
    init(_ configuration: TrainingConfiguration, subtreeCount: Int) {
        self.configuration = configuration
        let last = configuration.model.layers - 1
        stage = LanguageModelStage(LanguageModel(configuration.model, seed: 1, layers: last..<last + 1), shard: nil)
        decoder = stage.model.decoder.collectParameters()
        arena = ParameterArena(decoder.reversed(), subtreeCount: subtreeCount)
    }

    /// The output layer for some rows.
    func piece(rows: Int, leaves: LeafPlan) -> ProbePiece {
        ProbePiece(rows: rows) { [self] steps, calls in run(rows: rows, leaves, steps: steps, calls: calls) }
    }

    private func run(rows: Int, _ leaves: LeafPlan, steps: Int, calls: Int) -> WindowTimes {
        guard let product = stage.decoder(training: true) else {
            fatalError("OutputProbe: this stage does not hold the output layer")
        }
        var times = WindowTimes()
        arena.select(gradients: 0..<leaves.subtrees.count)
        let (hidden, size) = (configuration.model.hidden, configuration.model.vocabularySize)
        let input = Tensor(uninitialized: [steps, rows, hidden])
        input.fillForProbe()
        let targets = Tensor(uninitialized: [steps, rows], dtype: .int32)
        let stream = RandomStream(seed: 1, name: "probe")
        for place in 0..<targets.count {
            targets.pointer(of: Int32.self)[place] = Int32(stream.uniform(UInt64(place)) * Double(size))
        }
        let inputGradient = Tensor(uninitialized: input.shape)
        let gradient = Tensor(uninitialized: [steps, rows, size])
        var entropy = CrossEntropy(leafCount: leaves.leaves.count)
        let ranges = (0..<calls).map { $0 * steps / calls..<($0 + 1) * steps / calls }
        var watch = StopWatch()
        for range in ranges {
            let logits = Tensor(uninitialized: [range.count, rows, size])
            product.forward(input[leading: range], into: logits, leaves: leaves)
            entropy.add(
                logits, targets: targets[leading: range], gradientScale: 1 / Double(rows * steps),
                gradient: gradient[leading: range], leaves: leaves)
        }
        times.forward = watch.lap()
        for range in ranges.reversed() {
            product.backwardData(
                gradient[leading: range], into: inputGradient[leading: range], adds: false, leaves: leaves)
        }
        times.backward = watch.lap()
        let destinations = decoder.map { $0.gradientDestinations(leaves.subtrees.count) }
        product.backwardWeights(
            input: input, outputGradient: gradient, weightGradients: destinations[0],
            biasGradients: destinations.count > 1 ? destinations[1] : nil, leaves: leaves,
            hook: StepHook(function: nil, context: nil))
        times.weights = watch.lap()
        return times
    }
}
