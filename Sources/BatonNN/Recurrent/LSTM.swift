public import BatonKernelABI
internal import BatonKernels
public import BatonTensor

/// Long short-term memory, gates i, f, g, o: c_t = f⊙c_{t−1} + i⊙g, h_t = o⊙tanh c_t; projected,
/// h_t = (o⊙tanh c_t)·Vᵀ of width P, with V = h2r_weight. Source: Gluon `rnn.LSTM`; shapes in `RecurrentLayer`.
public final class LSTM: RecurrentLayer {
    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first forward pass, `projectionSize` nil or
    /// 0 is none, and `stateClip` limits c after every step.
    public init(
        hiddenSize: Int, numLayers: Int = 1, layout: SequenceLayout = .TNC, dropout: Double = 0,
        bidirectional: Bool = false, inputSize: Int = 0, initializers: RecurrentInitializers = RecurrentInitializers(),
        projectionSize: Int? = nil, stateClip: StateClip? = nil, dtype: DType = .float32,
        useSequenceLength: Bool = false, prefix: String? = nil,
        params: ParameterDict? = nil
    ) {
        super.init(
            cell: .lstm, hiddenSize: hiddenSize, numLayers: numLayers, layout: layout, dropout: dropout,
            bidirectional: bidirectional, inputSize: inputSize, initializers: initializers,
            projectionSize: projectionSize, stateClip: stateClip, dtype: dtype,
            useSequenceLength: useSequenceLength, prefix: prefix, params: params, hint: "lstm")
    }
}
