internal import BatonKernels
import BatonTensor

extension RecurrentLayer {
    /// A stack of cells that computes the same and has the same `Parameter` objects.
    ///
    /// Cells are named `l0_`, `r0_`, … under the layer's prefix; between layers stand dropout cells, with the masks of the
    /// layer. A projected layer becomes `LSTMPCell`s. Lengths are given to `unroll` as they are to the layer.
    ///
    /// - Throws: `NNError` for a layer that clips its states, which no cell does.
    /// - Source: Gluon `_RNNLayer._unfuse` (parity L20).
    public func unfuse() throws(NNError) -> HybridSequentialRNNCell {
        guard stateClip == nil else {
            throw NNError("\(name) clips its states, which no cell does; make it without stateClip to unfuse it.")
        }
        return NameScope.$current.withValue(.process) {
            let stack = HybridSequentialRNNCell(prefix: prefix, params: params)
            stack.nameScope {
                for layer in 0..<numLayers {
                    let cells = (0..<directionCount).map { makeCell(directions[layer * directionCount + $0]) }
                    stack.add(cells.count == 2 ? BidirectionalCell(cells[0], cells[1]) : cells[0])
                    if dropout > 0 && layer + 1 < numLayers {
                        stack.add(DropoutCell(rate: dropout, prefix: "l\(layer)_dropout_"))
                    }
                }
            }
            return stack
        }
    }

    private func makeCell(_ direction: RecurrentDirection) -> RecurrentCell {
        let prefix = "\(direction.isReverse ? "r" : "l")\(direction.layer)_"
        let inputSize = direction.inputWeight.shape[1]
        switch cell {
        case .lstm:
            if let projectionSize {
                return LSTMPCell(
                    hiddenSize: hiddenSize, projectionSize: projectionSize, inputSize: inputSize, dtype: dtype,
                    prefix: prefix)
            }
            return LSTMCell(hiddenSize: hiddenSize, inputSize: inputSize, dtype: dtype, prefix: prefix)
        case .gru: return GRUCell(hiddenSize: hiddenSize, inputSize: inputSize, dtype: dtype, prefix: prefix)
        case .rnnTanh, .rnnRelu:
            return RNNCell(
                hiddenSize: hiddenSize, activation: cell == .rnnTanh ? .tanh : .relu, inputSize: inputSize,
                dtype: dtype, prefix: prefix)
        }
    }
}
