internal import BatonKernels
public import BatonTensor

/// Elman layers: h_t = φ(x_t·Wᵀ + b + h_{t−1}·Uᵀ + q). Source: Gluon `rnn.RNN`; shapes in `RecurrentLayer`.
public final class RNN: RecurrentLayer {
    /// φ. A layer's default is relu, as in Gluon.
    public enum Nonlinearity: String, Sendable, CaseIterable, Codable { case relu, tanh }

    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first forward pass.
    public init(
        hiddenSize: Int, numLayers: Int = 1, activation: Nonlinearity = .relu, layout: SequenceLayout = .TNC,
        dropout: Double = 0, bidirectional: Bool = false, initializers: RecurrentInitializers = RecurrentInitializers(),
        inputSize: Int = 0, dtype: DType = .float32, useSequenceLength: Bool = false, prefix: String? = nil,
        params: ParameterDict? = nil
    ) {
        super.init(
            cell: activation == .relu ? .rnnRelu : .rnnTanh, hiddenSize: hiddenSize, numLayers: numLayers,
            layout: layout, dropout: dropout, bidirectional: bidirectional, inputSize: inputSize,
            initializers: initializers, dtype: dtype, useSequenceLength: useSequenceLength, prefix: prefix,
            params: params, hint: "rnn")
    }
}
