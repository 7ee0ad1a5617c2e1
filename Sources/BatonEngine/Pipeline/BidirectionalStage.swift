import BatonChecks
import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor

/// One window through contiguous layers of a bidirectional stack: both directions on this rank one after the other, or
/// one of them while the other rank of a pair runs the other.
///
/// A layer needs the whole sequence of the one below, so windows are not cut in time. The ranks of a pair hold the
/// complete input and output of every layer; of a gradient between layers each holds the half of its direction.
///
/// | Value | Shape |
/// |---|---|
/// | `input` | (T, N, I) of the first layer |
/// | `output` | (T, N, 2R), after the dropout that follows the last layer of the stage, if one does |
/// | states | h (layers · directions held, N, R) and, for LSTM, c (…, N, H); R is H unless projected |
final class BidirectionalStage: StageWindow {
    /// One layer of the stage.
    private struct Entry {
        /// Of the directions held.
        var passes: [any RecurrentPass]
        /// What the layer above reads: the layer's own output, or a copy after dropout.
        var output: Tensor
        var raw: Tensor
        /// Name and rate of the dropout that follows.
        var dropout: (name: String, rate: Double)?
        /// Gradient of `output`; of `raw` once the layer has been walked back.
        var gradient: Tensor?
    }

    let input: Tensor
    private let halfWidth: Int
    private let directions: Range<Int>
    private let states: StateRows
    private let random: RandomKey
    /// Of a pair.
    private let exchange: DirectionExchange?
    private var entries: [Entry] = []

    /// Prepares a window.
    ///
    /// - Parameters:
    ///   - stack: The whole stack; TNC, both directions.
    ///   - share: Layers and directions of this rank.
    ///   - rows, initial, final, leaves, random, recordsGradients: as `RecurrentStage`.
    ///   - exchange: With the rank that holds the other direction, if this one holds only one.
    init(
        _ stack: RecurrentLayer, share: StackShare, input: Tensor, rows: Range<Int>, initial: [Tensor]?,
        final: [Tensor], lengths: SequenceLengths?, leaves: LeafPlan, random: RandomKey?, recordsGradients: Bool,
        exchange: DirectionExchange?
    ) {
        require(
            stack.bidirectional && stack.layout == .TNC && input.rank == 3 && input.shape[1] == rows.count
                && (exchange == nil) == (share.directions.count == 2),
            "BidirectionalStage: expected a bidirectional TNC stack and an input (T,\(rows.count),I), got \(input.shape)"
        )
        self.input = input
        self.random = random ?? RandomKey(seed: 0)
        self.exchange = exchange
        (halfWidth, directions, states) = (stack.outputSize, share.directions, StateRows(rows: rows))
        var below = input
        for (place, layer) in share.layers.enumerated() {
            let raw = Tensor(uninitialized: [input.shape[0], rows.count, 2 * halfWidth], dtype: stack.dtype)
            let passes = directions.enumerated().map { held, direction in
                let index = place * directions.count + held
                let operands = RecurrentOperands(
                    input: below, output: raw, outputColumn: direction * halfWidth,
                    initialHidden: states.entry(initial, kind: 0, index),
                    initialCell: states.entry(initial, kind: 1, index),
                    finalHidden: states.entry(final, kind: 0, index), finalCell: states.entry(final, kind: 1, index),
                    lengths: lengths)
                return stack.directions[2 * layer + direction]
                    .begin(operands, leaves: leaves, training: recordsGradients)
            }
            let dropout = random == nil ? nil : stack.dropout(above: layer)
            let output = dropout == nil ? raw : Tensor(uninitialized: raw.shape, dtype: raw.dtype)
            entries.append(Entry(passes: passes, output: output, raw: raw, dropout: dropout))
            below = output
        }
    }

    var output: Tensor { entries[entries.count - 1].output }

    func outputGradient() -> Tensor { gradient(entries.count - 1) }

    private var steps: Range<Int> { 0..<input.shape[0] }
    /// Columns of the direction held, and of the other.
    private var ownHalf: Range<Int> { directions.lowerBound * halfWidth..<(directions.lowerBound + 1) * halfWidth }
    private var otherHalf: Range<Int> { 2 * halfWidth - ownHalf.upperBound..<2 * halfWidth - ownHalf.lowerBound }

    func forward(steps: Range<Int>, hook: StepHook) throws {
        require(steps == self.steps, "BidirectionalStage: a window of \(self.steps) is not cut, got \(steps)")
        for entry in entries {
            if let exchange {
                try exchange.begin(
                    entry.raw, sends: ownHalf, receives: otherHalf, adds: false,
                    chunks: DirectionChunks.forward(steps: steps.count, bytes: entry.raw.byteCount / 2))
                entry.passes[0].forward(steps: steps, hook: exchange.countingHook)
                try exchange.finish()
            } else {
                for pass in entry.passes { pass.forward(steps: steps, hook: hook) }
            }
            if let dropout = entry.dropout { entry.raw.dropout(mask(dropout), into: entry.output) }
        }
    }

    /// The weights of a layer come right after its data, while the halves of the gradient travel; those of the lowest
    /// are left, because the stage below waits.
    func backwardData(
        steps: Range<Int>, inputGradient: Tensor?, states gradients: StateGradients?, hook: StepHook
    ) throws {
        for place in entries.indices.reversed() {
            let own = gradient(place)
            if let dropout = entries[place].dropout { own.dropout(mask(dropout), into: own) }
            let target = place > 0 ? gradient(place - 1) : inputGradient
            if let exchange, let target {
                let chunks = DirectionChunks.backward(steps: steps.count, rows: input.shape[1])
                // Below the lowest layer both ranks want everything.
                try exchange.begin(
                    target, sends: place > 0 ? otherHalf : 0..<target.shape[2],
                    receives: place > 0 ? ownHalf : 0..<target.shape[2], adds: true,
                    chunks: chunks)
                for chunk in chunks {
                    walkBack(place, 0, steps: chunk, own: own, target: target, gradients, hook: exchange.hook)
                    try exchange.sendNext()
                }
                if place > 0 { entries[place].passes[0].backwardWeights(hook: exchange.hook) }
                try exchange.finish()
            } else {
                // Reverse first, as the tape of a RecurrentLayer: then the forward direction adds.
                for held in entries[place].passes.indices.reversed() {
                    walkBack(place, held, steps: steps, own: own, target: target, gradients, hook: hook)
                    if place > 0 { entries[place].passes[held].backwardWeights(hook: hook) }
                }
            }
        }
    }

    func backwardWeights(hook: StepHook) {
        for pass in entries[0].passes.reversed() { pass.backwardWeights(hook: exchange?.hook ?? hook) }
    }

    private func walkBack(
        _ place: Int, _ held: Int, steps: Range<Int>, own: Tensor, target: Tensor?, _ gradients: StateGradients?,
        hook: StepHook
    ) {
        let index = place * directions.count + held
        entries[place].passes[held].backwardData(
            steps: steps,
            RecurrentGradientOperands(
                output: own, finalHidden: states.entry(gradients?.final, kind: 0, index),
                finalCell: states.entry(gradients?.final, kind: 1, index), input: target,
                addsToInput: held + 1 < directions.count,
                initialHidden: states.entry(gradients?.initial, kind: 0, index),
                initialCell: states.entry(gradients?.initial, kind: 1, index)),
            hook: hook)
    }

    private func gradient(_ place: Int) -> Tensor {
        if let gradient = entries[place].gradient { return gradient }
        let fresh = Tensor(uninitialized: entries[place].raw.shape, dtype: entries[place].raw.dtype)
        entries[place].gradient = fresh
        return fresh
    }

    private func mask(_ dropout: (name: String, rate: Double)) -> DropoutMask {
        random.dropoutMask(
            name: dropout.name, rate: dropout.rate, times: input.shape[0], rows: input.shape[1], width: 2 * halfWidth)
    }
}

/// The steps whose results travel together between the directions of a layer.
enum DirectionChunks {
    /// Bytes a message should have: much less than a layer's whole output, much more than a message costs.
    private static let messageBytes = 32 << 10
    /// Rows an input product should have at least.
    private static let productRows = 48

    /// Ascending; every kernel runs all steps in one call, and the chunks leave from its hook.
    ///
    /// - Parameter bytes: of one direction's output over all steps.
    static func forward(steps: Int, bytes: Int) -> [Range<Int>] {
        cut(steps, length: messageBytes * steps / max(1, bytes))
    }

    /// Descending; every chunk is a call of the kernel, whose input product wants rows.
    static func backward(steps: Int, rows: Int) -> [Range<Int>] {
        // Gradients pass through a window of no steps too.
        steps == 0 ? [0..<0] : cut(steps, length: max((steps + 7) / 8, productRows / max(1, rows))).reversed()
    }

    private static func cut(_ steps: Int, length: Int) -> [Range<Int>] {
        let length = max(1, length)
        return stride(from: 0, to: steps, by: length).map { $0..<min($0 + length, steps) }
    }
}
