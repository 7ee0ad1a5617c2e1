import Baton
import BatonKernelABI

/// The forward pass of a recurrent stack on arrays, and the backward pass if asked for.
struct RunPasses {
    /// Same axes as the input.
    let output: Tensor
    /// Final h, or h and c, (L·D, N, R) and (L·D, N, H).
    let finalStates: [Tensor]
    /// Empty without a backward pass.
    private(set) var gradients: [(name: String, gradient: Tensor)] = []

    /// What was computed elsewhere.
    init(output: Tensor, finalStates: [Tensor], gradients: [(name: String, gradient: Tensor)]) {
        self.output = output
        self.finalStates = finalStates
        self.gradients = gradients
    }

    /// Runs the stack; with `arrays.outputGradient` also back.
    ///
    /// The gradients are those of Σ y·dy + Σ hn·dhn + Σ cn·dcn with respect to the input (`input`), the initial states
    /// (`state`, `cell_state`; also where they are zero by default) and every tensor of the weights file.
    init(
        _ weights: RecurrentStackWeights, _ arrays: RunArrays, layout: SequenceLayout, stateClip: StateClip?,
        precision: WeightPrecision
    ) {
        let layer = weights.makeLayer(
            layout: layout, useSequenceLength: arrays.lengths != nil, stateClip: stateClip)
        layer.inferencePrecision = precision
        let needsGradients = arrays.outputGradient != nil
        if needsGradients { ParameterArena(layer.collectParameters()).beginStep() }
        let tape = needsGradients ? Tape() : nil
        let context = ForwardContext(tape: tape, leaves: .whole(rows: arrays.batch))

        let input = Variable(arrays.input, requiresGradient: needsGradients)
        let states = zip(arrays.states, layer.beginState(batchSize: arrays.batch)).map { given, zero in
            Variable(given ?? zero.value, requiresGradient: needsGradients)
        }
        let (result, finals) = layer(input, states: states, sequenceLength: arrays.lengths, context)
        output = result.value
        finalStates = finals.map(\.value)

        guard let tape, let outputGradient = arrays.outputGradient else { return }
        var seeds = [(variable: result, gradient: outputGradient)]
        for (final, gradient) in zip(finals, arrays.stateGradients) {
            if let gradient { seeds.append((final, gradient)) }
        }
        tape.backward(from: seeds)
        for (name, variable) in zip(["input", "state", "cell_state"], [input] + states) {
            gradients.append((name, variable.gradientAccumulator()))
        }
        gradients += weights.gradients(of: layer)
    }
}
