internal import BatonKernels
public import BatonTensor

/// Long short-term memory, gates i, f, g, o: c_t = f⊙c_{t−1} + i⊙g, h_t = o⊙tanh c_t. Source: Gluon `rnn.LSTM`; shapes in
/// `RecurrentLayer`.
public final class LSTM: RecurrentLayer {
    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first forward pass.
    public init(
        hiddenSize: Int, numLayers: Int = 1, layout: SequenceLayout = .TNC, dropout: Double = 0,
        bidirectional: Bool = false, inputSize: Int = 0, initializers: RecurrentInitializers = RecurrentInitializers(),
        dtype: DType = .float32, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        super.init(
            cell: .lstm, hiddenSize: hiddenSize, numLayers: numLayers, layout: layout, dropout: dropout,
            bidirectional: bidirectional, inputSize: inputSize, initializers: initializers, dtype: dtype,
            prefix: prefix, params: params, hint: "lstm")
    }
}
