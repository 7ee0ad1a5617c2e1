import Baton
import BatonKernelABI

/// What `baton run` writes.
struct RunResults {
    /// Same axes as the input.
    let output: Tensor
    /// Final h, or h and c: of a stack (L·D, N, R) and (L·D, N, H).
    let states: [Tensor]
    /// By the names of their files; empty without a backward pass.
    let gradients: [(name: String, gradient: Tensor)]
}

extension RunResults {
    /// Runs a recurrent stack in one process; with `arrays.outputGradient` also back.
    ///
    /// The gradients are those of Σ y·dy + Σ hn·dhn + Σ cn·dcn with respect to the input (`input`), the initial states
    /// (`state`, `cell_state`; also where they are zero by default) and every tensor of the weights file.
    init(_ weights: RecurrentStackWeights, _ arrays: RunArrays, _ options: RunOptions) {
        let layer = weights.makeLayer(
            layout: options.axes, useSequenceLength: arrays.lengths != nil, stateClip: options.stateClip)
        layer.inferencePrecision = options.precision
        let needsGradients = arrays.outputGradient != nil
        let tape = needsGradients ? Tape() : nil
        let context = ForwardContext(tape: tape, leaves: .whole(rows: arrays.batch))

        let input = Variable(arrays.input, requiresGradient: needsGradients)
        let states = zip(arrays.states, layer.beginState(batchSize: arrays.batch)).map { given, zero in
            Variable(given ?? zero.value, requiresGradient: needsGradients)
        }
        let (result, finals) = layer(input, states: states, sequenceLength: arrays.lengths, context)
        var gradients: [(name: String, gradient: Tensor)] = []
        if let tape, let outputGradient = arrays.outputGradient {
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
        self.init(output: result.value, states: finals.map(\.value), gradients: gradients)
    }
}
