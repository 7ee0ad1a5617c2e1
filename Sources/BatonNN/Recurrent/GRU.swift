internal import BatonKernels
public import BatonTensor

/// Gated recurrent units, gates r, z, n, reset after the product: n = tanh(A_n + r⊙Q_n), h_t = (1−z)⊙n + z⊙h_{t−1}.
/// Source: Gluon `rnn.GRU`; shapes in `RecurrentLayer`.
public final class GRU: RecurrentLayer {
    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first forward pass.
    public init(
        hiddenSize: Int, numLayers: Int = 1, layout: SequenceLayout = .TNC, dropout: Double = 0,
        bidirectional: Bool = false, inputSize: Int = 0, initializers: RecurrentInitializers = RecurrentInitializers(),
        dtype: DType = .float32, useSequenceLength: Bool = false, prefix: String? = nil,
        params: ParameterDict? = nil
    ) {
        super.init(
            cell: .gru, hiddenSize: hiddenSize, numLayers: numLayers, layout: layout, dropout: dropout,
            bidirectional: bidirectional, inputSize: inputSize, initializers: initializers, dtype: dtype,
            useSequenceLength: useSequenceLength, prefix: prefix, params: params, hint: "gru")
    }
}
