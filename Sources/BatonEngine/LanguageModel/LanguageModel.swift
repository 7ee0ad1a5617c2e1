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

    /// A model with initial values that depend on the seed only.
    public init(_ configuration: LanguageModelConfiguration, seed: UInt64) {
        self.configuration = configuration
        embedding = Embedding(
            inputDim: configuration.vocabularySize, outputDim: configuration.embedding, prefix: "embedding_")
        recurrent = Self.makeRecurrent(configuration)
        decoder = Dense(units: configuration.vocabularySize, inUnits: configuration.hidden, prefix: "decoder_")
        for block in blocks { PyTorchInitialization.initialize(block, seed: seed) }
    }

    private static func makeRecurrent(_ configuration: LanguageModelConfiguration) -> RecurrentLayer {
        let (hidden, layers, dropout) = (configuration.hidden, configuration.layers, configuration.dropout)
        let width = configuration.embedding
        return switch configuration.cell {
        case .lstm:
            LSTM(hiddenSize: hidden, numLayers: layers, dropout: dropout, inputSize: width, prefix: "rnn_")
        case .gru:
            GRU(hiddenSize: hidden, numLayers: layers, dropout: dropout, inputSize: width, prefix: "rnn_")
        case .rnnTanh:
            RNN(
                hiddenSize: hidden, numLayers: layers, activation: .tanh, dropout: dropout, inputSize: width,
                prefix: "rnn_")
        case .rnnRelu:
            RNN(
                hiddenSize: hidden, numLayers: layers, activation: .relu, dropout: dropout, inputSize: width,
                prefix: "rnn_")
        }
    }

    private var blocks: [Block] { [embedding, recurrent, decoder] }

    /// All parameters in the order of the forward pass.
    public var parameters: [Parameter] { blocks.flatMap { $0.collectParameters() } }

    /// Zero states for N rows.
    public func beginState(batchSize: Int) -> [Variable] { recurrent.beginState(batchSize: batchSize) }

    /// Logits and the states after the last step.
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
