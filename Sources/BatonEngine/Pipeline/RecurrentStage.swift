import BatonChecks
import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// One window through contiguous layers of a one-directional recurrent stack, as a stage of a pipeline runs it: forward
/// in chunks of time, backward in chunks of time, then the weights of each layer.
///
/// Tensors cover the whole window; chunks are ranges of their first axis, so a message lands where it is used and
/// leaves from where it was computed. Bits do not depend on the chunks.
///
/// With a `HiddenShard` the rank computes its units of every layer; outputs, final states and the gradients of the input
/// and of initial states are whole on all its ranks, and all methods are collective over them.
///
/// | Value | Shape |
/// |---|---|
/// | `input` | (T, N, I) of the first layer |
/// | `output` | (T, N, R), after the dropout that follows the last layer of the stage, if one does |
/// | states | h (layers, N, R) and, for LSTM, c (layers, N, H); R is H unless projected |
final class RecurrentStage: StageWindow {
    /// One layer of the stage.
    private struct Entry {
        var pass: any RecurrentPass
        /// What the layer above reads: the layer's own output, or a copy after dropout.
        var output: Tensor
        var raw: Tensor
        /// Name and rate of the dropout that follows.
        var dropout: (name: String, rate: Double)?
        /// Gradient of `output`; of `raw` once the chunk has been walked back.
        var gradient: Tensor?
    }

    /// What the lowest layer reads; the caller fills it chunk by chunk.
    let input: Tensor
    private let leaves: LeafPlan
    private let states: StateRows
    private let random: RandomKey
    private let shard: HiddenShard?
    private var shared: ShardedWindow?
    private var entries: [Entry] = []

    /// Prepares a window.
    ///
    /// - Parameters:
    ///   - stack: The whole stack; TNC, one direction.
    ///   - layers: The layers of this stage.
    ///   - rows: The rows of the state tensors that this window has; N of them.
    ///   - initial: States before the window, (layers, rows of all windows, R or H) each; nil is zero.
    ///   - final: Where the states after the window go, shaped as `initial`.
    ///   - lengths: Valid lengths of the rows; nil is T for all.
    ///   - random: For dropout; nil for inference, which has none.
    ///   - recordsGradients: Whether the backward passes will be called.
    ///   - shard: The units of this rank; nil is all.
    ///   - repeatedInput: Which rows of the input are equal, if that is known now.
    /// - Throws: `CommError` if a rank that holds other units does not come.
    init(
        _ stack: RecurrentLayer, layers: Range<Int>, input: Tensor, rows: Range<Int>, initial: [Tensor]?,
        final: [Tensor], lengths: SequenceLengths? = nil, leaves: LeafPlan, random: RandomKey?,
        recordsGradients: Bool, shard: HiddenShard? = nil, repeatedInput: RepeatedRows? = nil
    ) throws(CommError) {
        require(
            !stack.bidirectional && stack.layout == .TNC && input.rank == 3 && input.shape[1] == rows.count,
            "RecurrentStage: expected a one-directional TNC stack and an input (T,\(rows.count),I), got \(input.shape)")
        self.input = input
        self.leaves = leaves
        states = StateRows(rows: rows)
        self.random = random ?? RandomKey(seed: 0)
        self.shard = shard
        shared = try shard.map { shard throws(CommError) in
            try ShardedWindow(
                shard, stack.directions[layers], input: input.shape, training: recordsGradients)
        }
        var below = input
        for (place, layer) in layers.enumerated() {
            let raw =
                shared?.outputs[place]
                ?? Tensor(uninitialized: [input.shape[0], rows.count, stack.outputSize], dtype: stack.dtype)
            let dropout = random == nil ? nil : stack.dropout(above: layer)
            func state(_ given: [Tensor]?, _ kind: Int) -> Tensor? { states.entry(given, kind: kind, place) }
            let operands = RecurrentOperands(
                input: below, output: raw, initialHidden: state(initial, 0), initialCell: state(initial, 1),
                finalHidden: state(final, 0),
                finalCell: shared?.take(finalCell: state(final, 1), place) ?? state(final, 1), lengths: lengths,
                shared: shared?.kernelMemory[place], repeatedInput: place == 0 ? repeatedInput : nil)
            let pass = stack.directions[layer].begin(
                operands, leaves: leaves, training: recordsGradients, shard: shard?.units ?? .whole)
            let output = dropout == nil ? raw : Tensor(uninitialized: raw.shape, dtype: raw.dtype)
            entries.append(Entry(pass: pass, output: output, raw: raw, dropout: dropout))
            below = output
        }
    }

    /// What the stage above reads.
    var output: Tensor { entries[entries.count - 1].output }

    /// Number of layers.
    var layerCount: Int { entries.count }

    /// Runs the next steps.
    ///
    /// - Throws: `CommError` if a rank that holds other units does not come.
    func forward(steps: Range<Int>, hook: StepHook) throws(CommError) {
        let stepHook = shard?.stepHook(polling: hook) ?? hook
        for entry in entries {
            entry.pass.forward(steps: steps, hook: stepHook)
            if let dropout = entry.dropout {
                entry.raw[leading: steps].dropout(mask(dropout, steps), into: entry.output[leading: steps])
            }
        }
        if let shard, let shared, steps.upperBound == input.shape[0] {
            try shard.meet()
            shared.copyStates()
        }
    }

    /// Packs the weights of one layer, counted from the lowest of the stage, for `backwardData`, which else does it.
    func prepareBackward(layer place: Int) { entries[place].pass.prepareBackward() }

    /// Gradient of `output`, (T, N, R): the caller fills the steps it walks back.
    func outputGradient() -> Tensor { gradient(entries.count - 1) }

    /// A tensor for the gradient of the input, to be given to `backwardData`; in a stage that records gradients.
    func makeInputGradient() -> Tensor {
        shared?.inputGradient ?? Tensor(uninitialized: input.shape, dtype: input.dtype)
    }

    /// Carries gradients of some steps down to `inputGradient`, from `makeInputGradient`, if that is wanted; with `states`
    /// also those of the states, final to initial.
    ///
    /// - Throws: `CommError` if a rank that holds other units does not come.
    func backwardData(
        steps: Range<Int>, inputGradient: Tensor?, states gradients: StateGradients? = nil, hook: StepHook
    ) throws(CommError) {
        let stepHook = shard?.stepHook(polling: hook) ?? hook
        func initial(_ kind: Int, _ place: Int) -> Tensor? {
            let target = states.entry(gradients?.initial, kind: kind, place)
            // Written with the first step.
            guard let shared, steps.lowerBound == 0 else { return shared == nil ? target : nil }
            return shared.take(initialGradient: target, kind: kind, place)
        }
        for place in entries.indices.reversed() {
            let own = gradient(place)
            if let dropout = entries[place].dropout {
                own[leading: steps].dropout(mask(dropout, steps), into: own[leading: steps])
            }
            entries[place].pass.backwardData(
                steps: steps,
                RecurrentGradientOperands(
                    output: own, finalHidden: states.entry(gradients?.final, kind: 0, place),
                    finalCell: states.entry(gradients?.final, kind: 1, place),
                    input: place > 0 ? gradient(place - 1) : inputGradient,
                    initialHidden: initial(0, place), initialCell: initial(1, place)),
                hook: stepHook)
        }
        try shard?.meet()
        shared?.copyStates()
    }

    /// Adds the gradients of the parameters of one layer, counted from the lowest of the stage, after all steps have
    /// been walked back; of a part of the units their rows.
    func backwardWeights(layer place: Int, hook: StepHook) { entries[place].pass.backwardWeights(hook: hook) }

    /// Adds the gradients of the parameters of all layers, the highest first.
    func backwardWeights(hook: StepHook) {
        for place in entries.indices.reversed() { backwardWeights(layer: place, hook: hook) }
    }

    private func gradient(_ place: Int) -> Tensor {
        if let gradient = entries[place].gradient { return gradient }
        // Of a part of the units only the own columns are made and read: those of one layer's h are those of the
        // gradient that the layer above makes of it.
        let (shape, dtype) = (entries[place].raw.shape, entries[place].raw.dtype)
        let fresh = shard == nil ? Tensor(uninitialized: shape, dtype: dtype) : Tensor(zeros: shape, dtype: dtype)
        entries[place].gradient = fresh
        return fresh
    }

    private func mask(_ dropout: (name: String, rate: Double), _ steps: Range<Int>) -> DropoutMask {
        var key = random
        key.firstTime += UInt32(steps.lowerBound)
        return key.dropoutMask(
            name: dropout.name, rate: dropout.rate, times: steps.count, rows: input.shape[1],
            width: output.shape[2])
    }
}
