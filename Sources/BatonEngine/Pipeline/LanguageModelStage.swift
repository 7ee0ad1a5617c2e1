import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// The part of a language model one pipeline rank holds, ready to run windows.
final class LanguageModelStage {
    let model: LanguageModel
    /// This rank's units of its layers; nil is all.
    let shard: HiddenShard?
    /// Whether all stages run the output layer, and windows leave it out.
    let spreadsOutput: Bool
    private let decoderProduct = LinearLayerProduct()

    init(_ model: LanguageModel, shard: HiddenShard?, spreadsOutput: Bool = false) {
        self.model = model
        self.shard = shard
        self.spreadsOutput = spreadsOutput
    }

    /// Width of what the stage reads: the embedding's, or that of the layer below.
    var inputWidth: Int { model.holdsEmbedding ? model.configuration.embedding : model.configuration.hidden }

    /// The output layer's products, up to date with the parameters; nil on stages that do not run it.
    func decoder(training: Bool) -> (any LinearProduct)? {
        guard model.holdsDecoder || spreadsOutput else { return nil }
        return decoderProduct.refreshed(weight: model.decoder.weight, bias: model.decoder.bias, training: training)
    }

    /// Zero states of the held layers for N rows, (layers, N, H) each.
    func beginState(rows: Int) -> [Tensor] {
        let model = model.configuration
        return (0..<model.stateCount).map { _ in Tensor(zeros: [self.model.layers.count, rows, model.hidden]) }
    }
}

/// One window of some rows through the part of a language model that one rank holds.
///
/// A first stage looks up the embedding of all steps when the window begins; a last stage runs the output layer and the
/// loss chunk by chunk behind its layers.
final class LanguageModelWindow: ForwardWindow {
    /// What belongs to a window besides the model.
    struct Content {
        /// Tokens, (T, N); used by the first stage.
        var inputs: Tensor
        /// Targets, (T, N); used by the last stage; nil if logits are wanted instead of a loss.
        var targets: Tensor?
        /// Rows of the state tensors.
        var rows: Range<Int>
        var initial: [Tensor]
        var final: [Tensor]
        var leaves: LeafPlan
    }

    /// What only training has.
    struct Training {
        var random: RandomKey
        /// 1 / number of targets of the global batch.
        var gradientScale: Double
    }

    let recurrent: RecurrentStage
    var input: Tensor { recurrent.input }
    var output: Tensor { recurrent.output }
    /// Loss of the steps run so far; of the last stage.
    private(set) var entropy: CrossEntropy
    /// Logits of the last chunk that was run without targets, (C, N, V).
    private(set) var logits: Tensor?
    /// Gradient of the input, (T, N, I); in training.
    let inputGradient: Tensor?
    private let stage: LanguageModelStage
    private let content: Content
    private let training: Training?
    private let tape = Tape()
    private let embedded: Variable?
    private let product: (any LinearProduct)?
    private let logitGradient: Tensor?

    init(_ stage: LanguageModelStage, _ content: Content, training: Training?) throws(CommError) {
        self.stage = stage
        self.content = content
        self.training = training
        let (steps, rows) = (content.inputs.shape[0], content.rows.count)
        let model = stage.model
        let input: Tensor
        if model.holdsEmbedding {
            let context = ForwardContext(
                tape: training == nil ? nil : tape, isTraining: training != nil, leaves: content.leaves)
            let variable = model.embedding(Variable(content.inputs), context)
            embedded = variable
            input = variable.value
        } else {
            embedded = nil
            input = Tensor(uninitialized: [steps, rows, stage.inputWidth])
        }
        recurrent = try RecurrentStage(
            model.recurrent, layers: model.layers, input: input, rows: content.rows, initial: content.initial,
            final: content.final, leaves: content.leaves, random: training?.random, recordsGradients: training != nil,
            shard: stage.shard, repeatedInput: embedded?.repeatedRows)
        inputGradient = training == nil ? nil : recurrent.makeInputGradient()
        product = stage.spreadsOutput ? nil : stage.decoder(training: training != nil)
        logitGradient =
            training != nil && product != nil
            ? Tensor(uninitialized: [steps, rows, model.configuration.vocabularySize]) : nil
        entropy = CrossEntropy(leafCount: content.leaves.leaves.count)
    }

    /// Runs the next steps; on the last stage also their output layer and loss.
    func forward(steps: Range<Int>, hook: StepHook) throws(CommError) {
        if steps.isEmpty { return }
        try recurrent.forward(steps: steps, hook: hook)
        guard let product else { return }
        let logits = Tensor(
            uninitialized: [steps.count, content.rows.count, stage.model.configuration.vocabularySize])
        product.forward(recurrent.output[leading: steps], into: logits, leaves: content.leaves)
        guard let targets = content.targets else {
            self.logits = logits
            return
        }
        entropy.add(
            logits, targets: targets[leading: steps], gradientScale: training?.gradientScale ?? 0,
            gradient: logitGradient?[leading: steps], leaves: content.leaves)
    }

    /// Walks steps back: from the loss on the last stage, where it is run there, else from `recurrent.outputGradient()`.
    func backward(steps: Range<Int>, hook: StepHook) throws(CommError) {
        if steps.isEmpty { return }
        if let product, let logitGradient {
            product.backwardData(
                logitGradient[leading: steps], into: recurrent.outputGradient()[leading: steps], adds: false,
                leaves: content.leaves)
        }
        try recurrent.backwardData(steps: steps, inputGradient: inputGradient, hook: hook)
    }

    /// Adds the gradients of all parameters held here, from the top down.
    ///
    /// - Parameter ready: called for every parameter as soon as its gradient is complete; of a recurrent one, in a part of
    ///   the units, the own rows.
    func backwardWeights(
        hook: StepHook, ready: (Parameter) throws(CommError) -> Void
    ) throws(CommError) {
        let model = stage.model
        if let product, let logitGradient {
            let parameters = [model.decoder.weight] + (model.decoder.bias.map { [$0] } ?? [])
            let destinations = parameters.map { $0.gradientDestinations(content.leaves.subtrees.count) }
            product.backwardWeights(
                input: recurrent.output, outputGradient: logitGradient, weightGradients: destinations[0],
                biasGradients: destinations.count > 1 ? destinations[1] : nil, leaves: content.leaves, hook: hook)
            for parameter in parameters.reversed() { try ready(parameter) }
        }
        for layer in (0..<recurrent.layerCount).reversed() {
            recurrent.backwardWeights(layer: layer, hook: hook)
            for parameter in model.recurrent.directions[model.layers.lowerBound + layer].parameters.reversed() {
                try ready(parameter)
            }
        }
        if let embedded, let inputGradient {
            tape.backward(from: [(embedded, inputGradient)], hook: hook)
            try ready(model.embedding.weight)
        }
    }
}
