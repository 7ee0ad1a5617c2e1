import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// `RNN`: a stack of recurrent layers on packed parameters, here a layer of Baton that owns them.
struct RecurrentNode: GraphOperation {
    let layer: RecurrentLayer
    let givesStates: Bool
    let takesLengths: Bool

    var outputCount: Int { givesStates ? 1 + layer.stateCount : 1 }

    func shapes(_ inputs: [GraphShape]) throws -> [GraphShape] {
        let inputs = try inputs.exactly(1 + layer.stateCount + (takesLengths ? 1 : 0))
        let sequence = inputs[0].axes
        guard sequence.count == 3, !sequence.contains(0), inputs[0].dtype == layer.dtype else {
            throw GraphMismatch(
                "takes (T, N, C) of \(layer.dtype.rawValue), and got \(inputs[0].dtype.rawValue) \(sequence)")
        }
        try GraphShape.expect(sequence[2], is: layer.directions[0].inputWeight.shape[1], "features")
        guard sequence[0] != GraphShape.batch, sequence[1] != GraphShape.batch else {
            throw GraphMismatch("takes a sequence of known steps and rows, and got \(sequence)")
        }
        let expected = layer.stateInfo(batchSize: sequence[1]).map(\.shape)
        for (state, shape) in zip(inputs[1...], expected) {
            guard state.dtype == layer.dtype else {
                throw GraphMismatch("takes states of \(layer.dtype.rawValue), and got \(state.dtype.rawValue)")
            }
            _ = try GraphShape.unify(state.axes, shape)
        }
        if takesLengths { _ = try GraphShape.unify(inputs[inputs.count - 1].axes, [sequence[1]]) }
        let width = layer.directionCount * layer.outputSize
        let output = GraphShape(axes: [sequence[0], sequence[1], width], dtype: layer.dtype)
        return [output] + (givesStates ? expected.map { GraphShape(axes: $0, dtype: layer.dtype) } : [])
    }

    func run(_ inputs: [Variable], _ context: ForwardContext) throws -> [Variable] {
        let states = Array(inputs[1...layer.stateCount])
        let lengths = takesLengths ? try inputs[inputs.count - 1].value.lengths(upTo: inputs[0].shape[0]) : nil
        var context = context
        context.leaves = .whole(rows: inputs[0].shape[1])
        let (output, finals) = layer(inputs[0], states: states, sequenceLength: lengths, context)
        return [output] + (givesStates ? finals : [])
    }
}
