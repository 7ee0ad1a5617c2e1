import BatonKernels
public import BatonNN
public import BatonTensor

/// A recurrent language model: logits over the next token at every position.
///
///     Y, states = RNN(E[ids], states),  logits = Y·Wᵀ + b
///
/// | Value | Shape |
/// |---|---|
/// | ids | (T, N) int32 |
/// | states | h and, for LSTM, c: (L, N, H) each |
/// | logits | (T, N, V) |
///
/// Dropout acts between the layers of the stack, as in `torch.nn.LSTM(dropout:)`. Parameters have PyTorch's initial
/// values. Source: PyTorch's word language model; Gluon parity 5.4.
public final class LanguageModel {
    /// Sizes of the model.
    public let configuration: LanguageModelConfiguration
    /// Tokens to vectors.
    public let embedding: Embedding
    /// The recurrent stack.
    public let recurrent: RecurrentLayer
    /// Hidden units to logits.
    public let decoder: Dense
    /// Recurrent layers this process holds: all, or those of its pipeline stage. Embedding and output layer belong to
    /// the first and the last layer. Parameters of the other layers have no values here.
    public let layers: Range<Int>
    /// Whether this process has the output layer's parameters without the last recurrent layer.
    let copiesDecoder: Bool

    /// A model, or a part of one, with initial values that depend on the seed only.
    ///
    /// - Parameters:
    ///   - layers: the layers to hold; nil is all.
    ///   - copiesDecoder: whether to hold the output layer even without the last of them.
    public init(
        _ configuration: LanguageModelConfiguration, seed: UInt64, layers: Range<Int>? = nil,
        copiesDecoder: Bool = false
    ) {
        self.configuration = configuration
        let layers = layers ?? 0..<configuration.layers
        self.layers = layers
        self.copiesDecoder = copiesDecoder && layers.upperBound < configuration.layers
        embedding = Embedding(
            inputDim: configuration.vocabularySize, outputDim: configuration.embedding, prefix: "embedding_")
        recurrent = RecurrentLayer.make(
            configuration.cell, hiddenSize: configuration.hidden, numLayers: configuration.layers,
            dropout: configuration.dropout, inputSize: configuration.embedding, prefix: "rnn_")
        decoder = Dense(units: configuration.vocabularySize, inUnits: configuration.hidden, prefix: "decoder_")
        let held = Set(parameters.map(ObjectIdentifier.init))
        for block in blocks {
            PyTorchInitialization.initialize(block, seed: seed) { held.contains(ObjectIdentifier($0)) }
        }
    }

    private var blocks: [Block] { [embedding, recurrent, decoder] }

    /// Whether this process holds the embedding.
    var holdsEmbedding: Bool { layers.lowerBound == 0 }
    /// Whether this process holds the last recurrent layer, and with it the output layer.
    var holdsDecoder: Bool { layers.upperBound == configuration.layers }

    /// The parameters held here, in the order of the forward pass.
    public var parameters: [Parameter] {
        (holdsEmbedding ? embedding.collectParameters() : [])
            + recurrent.directions[layers].flatMap(\.parameters)
            + (holdsDecoder || copiesDecoder ? decoder.collectParameters() : [])
    }

    /// The parameters of the whole model with the layer each belongs to, in the order of the forward pass.
    var parametersByLayer: [(parameter: Parameter, layer: Int)] {
        embedding.collectParameters().map { ($0, 0) }
            + recurrent.directions.flatMap { direction in direction.parameters.map { ($0, direction.layer) } }
            + decoder.collectParameters().map { ($0, configuration.layers - 1) }
    }

    /// Zero states for N rows: h, and c for an LSTM, (L, N, H) each.
    public func beginState(batchSize: Int) -> [Variable] { recurrent.beginState(batchSize: batchSize) }

    /// A forward pass of the whole model.
    ///
    /// - Parameters:
    ///   - ids: (T, N), whole numbers in 0 ..< V.
    ///   - states: as `beginState`, (L, N, H) each.
    /// - Returns: logits (T, N, V) and the states after the last step.
    public func callAsFunction(
        _ ids: Tensor, states: [Variable], _ context: ForwardContext
    ) -> (logits: Variable, states: [Variable]) {
        let (output, final) = recurrent(embedding(Variable(ids), context), states: states, context)
        return (decoder(output, context), final)
    }

    /// Names under which PyTorch keeps the same parameters: `embedding.weight`, `rnn.weight_ih_l0`, `decoder.bias`, ….
    public var pyTorchNames: [(name: String, parameter: Parameter)] {
        var result = [("embedding.weight", embedding.weight)]
        for direction in recurrent.directions {
            let suffix = "l\(direction.layer)"
            let kinds = ["weight_ih_", "weight_hh_", "bias_ih_", "bias_hh_"]
            for (kind, parameter) in zip(kinds, direction.parameters) {
                result.append(("rnn." + kind + suffix, parameter))
            }
        }
        result.append(("decoder.weight", decoder.weight))
        if let bias = decoder.bias { result.append(("decoder.bias", bias)) }
        return result
    }
}
