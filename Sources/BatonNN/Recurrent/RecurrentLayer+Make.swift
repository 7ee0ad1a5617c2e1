import BatonChecks
public import BatonKernelABI
public import BatonKernels
public import BatonTensor

extension RecurrentLayer {
    /// An `LSTM`, a `GRU` or an `RNN`, where only the running program knows which; arguments and defaults are theirs.
    ///
    /// - Precondition: `projectionSize` and `stateClip` only for an LSTM.
    public static func make(
        _ cell: RecurrentKind, hiddenSize: Int, numLayers: Int = 1, layout: SequenceLayout = .TNC, dropout: Double = 0,
        bidirectional: Bool = false, inputSize: Int = 0, projectionSize: Int? = nil, stateClip: StateClip? = nil,
        dtype: DType = .float32, useSequenceLength: Bool = false, prefix: String? = nil, params: ParameterDict? = nil
    ) -> RecurrentLayer {
        require(
            cell == .lstm || projectionSize == nil && stateClip == nil,
            "RecurrentLayer.make: only an LSTM has a projection and a state clip, not \(cell.rawValue)")
        switch cell {
        case .lstm:
            return LSTM(
                hiddenSize: hiddenSize, numLayers: numLayers, layout: layout, dropout: dropout,
                bidirectional: bidirectional, inputSize: inputSize, projectionSize: projectionSize,
                stateClip: stateClip, dtype: dtype, useSequenceLength: useSequenceLength, prefix: prefix,
                params: params)
        case .gru:
            return GRU(
                hiddenSize: hiddenSize, numLayers: numLayers, layout: layout, dropout: dropout,
                bidirectional: bidirectional, inputSize: inputSize, dtype: dtype,
                useSequenceLength: useSequenceLength, prefix: prefix, params: params)
        case .rnnTanh, .rnnRelu:
            return RNN(
                hiddenSize: hiddenSize, numLayers: numLayers, activation: cell == .rnnTanh ? .tanh : .relu,
                layout: layout, dropout: dropout, bidirectional: bidirectional, inputSize: inputSize, dtype: dtype,
                useSequenceLength: useSequenceLength, prefix: prefix, params: params)
        }
    }
}
