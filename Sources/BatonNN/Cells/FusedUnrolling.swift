internal import BatonKernels
import BatonTensor

/// The fused layer that a hybridised plain cell, or a bidirectional pair of equal ones, amounts to. It shares their
/// parameters and is kept from call to call, as its packed weights are.
final class FusedUnrolling {
    private let cells: [PlainCell]
    private let layer: RecurrentLayer

    /// - Parameter cells: one, or the left and the right one of a bidirectional cell.
    /// - Returns: nil if no layer computes the same: another activation or form of gates, cells of different kinds or
    ///   sizes.
    init?(_ cells: [PlainCell]) {
        guard let first = cells.first, let kind = first.fusedKind else { return nil }
        for cell in cells
        where cell.fusedKind != kind || cell.hiddenSize != first.hiddenSize
            || cell.fusedProjection != first.fusedProjection
        {
            return nil
        }
        self.cells = cells
        let shared = ParameterDict(prefix: first.prefix)
        for (direction, cell) in zip(["l", "r"], cells) {
            for (attribute, parameter) in cell.parameters {
                shared.insert(parameter, name: "\(first.prefix)\(direction)0_\(attribute)")
            }
        }
        layer = NameScope.$current.withValue(.process) {
            RecurrentLayer.make(
                kind, hiddenSize: first.hiddenSize, bidirectional: cells.count == 2,
                inputSize: first.i2hWeight.shape[1], projectionSize: first.fusedProjection, dtype: first.dtype,
                useSequenceLength: true, prefix: first.prefix, params: shared)
        }
    }

    /// Unrolls on the layer's kernels; nil if a hook wants to see the single steps.
    func unroll(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable])? {
        if cells.contains(where: \.hasHooks) { return nil }
        let layout = request.inputs.layout
        let count = request.states.count / cells.count
        for (index, cell) in cells.enumerated() {
            trapping {
                () throws(NNError) in
                try cell.checkStates(
                    Array(request.states[index * count..<(index + 1) * count]), batchSize: request.inputs.batchSize,
                    request.inputs.dtype)
            }
            cell.setStepCount(request.inputs.count)
        }
        // Cells list the states of the left cell, then the right one's; a layer stacks both per kind.
        let states = (0..<count).map { kind in
            context.stack(cells.indices.map { request.states[$0 * count + kind] }, axis: 0)
        }
        let lengths = request.lengths ?? [Int](repeating: request.inputs.count, count: request.inputs.batchSize)
        let result = layer.run(
            request.inputs.merged, layout: layout, states: states, lengths: lengths, wantsStates: true, context)
        let finals = result.states.map { context.unstack($0, axis: 0) }
        return (
            CellSequence(
                result.output, layout: layout, context, isMerged: request.mergeOutputs ?? (request.lengths != nil)),
            cells.indices.flatMap { index in finals.map { $0[index] } }
        )
    }
}

extension PlainCell {
    /// What layer computes the same; nil if none does.
    var fusedKind: RecurrentKind? {
        switch self {
        case let cell as RNNCell:
            switch cell.activation.builtIn {
            case .tanh: .rnnTanh
            case .relu: .rnnRelu
            default: nil
            }
        case let cell as LSTMCell:
            cell.activation.builtIn == .tanh && cell.recurrentActivation.builtIn == .sigmoid ? .lstm : nil
        case let cell as GRUCell: cell.resetAfter ? .gru : nil
        case is LSTMPCell: .lstm
        default: nil
        }
    }

    /// P of a projected cell.
    var fusedProjection: Int? { (self as? LSTMPCell)?.projectionSize }
}
