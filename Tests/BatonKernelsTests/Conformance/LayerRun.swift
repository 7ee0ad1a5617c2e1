import BatonKernelABI
import BatonTestSupport

@testable import BatonKernels

/// Runs a `LayerCase` on a backend and collects every result. Rows are wider than their columns, and what lies
/// between must stay as it was; what lies beyond an array cannot be touched (see `Memory`).
final class LayerRun<Kernels: KernelsUnderTest> {
    typealias Scalar = Kernels.Scalar

    /// How a run departs from the plain one.
    struct Options {
        /// Whether initial states and all incoming gradients but the output's are given.
        var givesStates = true
        /// Rows of the case that the run holds, and their leaves.
        var rows: Range<Int>?
        var plan: LeafPlan?
        /// Valid lengths of the rows of the case; nil is T for all.
        var lengths: [Int]?
        /// Ends of the chunks that the window is cut into; empty is one go.
        var cuts: [Int] = []
        var addsToInputGradient = false
        var training = true
        /// How the weights are held; other than float32 not for training.
        var precision = WeightPrecision.float32
        /// Where what surrounds the arrays ends the process.
        var guarded = Memory<Scalar>.Guard.behind
        /// Whether the rows of the caller's arrays stand before the times.
        var batchMajor = false
        /// Steps whose gates are held at a time; nil is all.
        var chunk: Int?
    }

    let layer: LayerCase<Scalar>
    let options: Options
    let rows: Range<Int>
    let plan: LeafPlan
    private(set) var output: [Scalar] = []
    private(set) var finalHidden: [Scalar] = []
    private(set) var finalCell: [Scalar] = []
    private(set) var inputGradient: [Scalar] = []
    private(set) var initialHiddenGradient: [Scalar] = []
    private(set) var initialCellGradient: [Scalar] = []
    /// W, U, b, q and V one after the other, one array per subtree.
    private(set) var parameterGradients: [[Scalar]] = []
    /// Calls of the hook in forward, backward-data.
    private(set) var hookCalls = (forward: 0, backward: 0)
    /// Elements of the parameter gradients that the weight pass said were finished, in the order it said so, and the values
    /// they had then, one array per subtree.
    private(set) var finished: [(elements: Range<Int>, values: [[Scalar]])] = []
    private(set) var touchedPadding = false
    /// Of the sequence, after its passes.
    private(set) var workspaceBytes = 0

    private let padding = 3
    private let mark: Scalar = -77
    /// What destinations hold before something is added to them.
    static var offset: Scalar { 0.5 }

    /// `times` > 1 runs the same sequence again: the results must be those of the last pass alone.
    init(_ layer: LayerCase<Scalar>, on kernels: Kernels, _ options: Options = Options(), times: Int = 1) {
        self.layer = layer
        self.options = options
        rows = options.rows ?? 0..<layer.shape.batch
        plan = options.plan ?? LeafPlan.whole(rows: rows.count)
        var shape = layer.recurrentShape
        shape.precision = options.precision
        let weights = kernels.recurrentWeights(shape)
        let parameters = layer.parameters
        withPointers(
            guard: options.guarded,
            [
                parameters.inputWeight, parameters.hiddenWeight, parameters.inputBias, parameters.hiddenBias,
                parameters.projectionWeight,
            ]
        ) {
            weights.update(
                from: RecurrentParameterPointers(
                    inputWeight: $0[0], hiddenWeight: $0[1], inputBias: $0[2], hiddenBias: $0[3],
                    projectionWeight: layer.projection == nil ? nil : $0[4]),
                training: options.training)
        }
        let sequence =
            if let chunk = options.chunk {
                kernels.recomputedSequence(
                    weights, steps: layer.shape.steps, batch: rows.count, reverse: layer.reverse, leaves: plan,
                    chunk: chunk)
            } else {
                kernels.recurrentSequence(
                    weights, steps: layer.shape.steps, batch: rows.count, reverse: layer.reverse, leaves: plan)
            }
        for _ in 0..<times { run(sequence) }
        workspaceBytes = (sequence as? any Workspace)?.workspaceBytes ?? 0
    }

    private var chunks: [Range<Int>] {
        let ends = options.cuts.filter { $0 < layer.shape.steps } + [layer.shape.steps]
        return zip([0] + ends, ends).map { $0..<$1 }
    }

    private func run(_ sequence: any RecurrentSequence<Scalar>) {
        let (t, n, c, h) = (layer.shape.steps, rows.count, layer.shape.inputSize, layer.outputSize)
        let cellSize = layer.shape.hidden
        let input = memory(strided(layer.input, width: c))
        let h0 = memory(states(layer.initialHidden, h))
        let c0 = memory(states(layer.initialCell, cellSize))
        let y = memory(mark, count: stridedCount(width: h))
        let hn = memory(mark, count: n * h)
        let cn = memory(mark, count: n * cellSize)
        let hasCell = layer.cell.hasCellState
        let forward = RecurrentForward<Scalar>(
            input: input.pointer, inputStrides: strides(c),
            initialHidden: options.givesStates ? UnsafePointer(h0.pointer) : nil,
            initialCell: options.givesStates && hasCell ? UnsafePointer(c0.pointer) : nil,
            output: y.pointer, outputStrides: strides(h), finalHidden: hn.pointer,
            finalCell: hasCell ? cn.pointer : nil,
            lengths: options.lengths.map { SequenceLengths(Array($0[rows]), steps: t) })
        let counter = HookCounter()
        for chunk in chunks {
            sequence.forward(steps: chunk, forward, training: options.training, hook: counter.hook)
        }
        hookCalls.forward = counter.take()
        output = columns(of: y, width: h)
        finalHidden = hn.values
        finalCell = hasCell ? cn.values : []
        guard options.training else { return }
        let dy = memory(strided(layer.outputGradient, width: h))
        let dhn = memory(states(layer.finalHiddenGradient, h))
        let dcn = memory(states(layer.finalCellGradient, cellSize))
        let dx = memory(mark, count: stridedCount(width: c))
        if options.addsToInputGradient {
            for row in 0..<t * n { for i in 0..<c { dx.pointer[row * (c + padding) + i] = Self.offset } }
        }
        let dh0 = memory(mark, count: n * h)
        let dc0 = memory(mark, count: n * cellSize)
        let backward = RecurrentBackwardData<Scalar>(
            outputGradient: dy.pointer,
            finalHiddenGradient: options.givesStates ? UnsafePointer(dhn.pointer) : nil,
            finalCellGradient: options.givesStates && hasCell ? UnsafePointer(dcn.pointer) : nil,
            inputGradient: dx.pointer, addsToInputGradient: options.addsToInputGradient,
            initialHiddenGradient: dh0.pointer,
            initialCellGradient: hasCell ? dc0.pointer : nil)
        for chunk in chunks.reversed() {
            sequence.backwardData(steps: chunk, backward, forward: forward, hook: counter.hook)
        }
        hookCalls.backward = counter.take()
        inputGradient = columns(of: dx, width: c)
        initialHiddenGradient = dh0.values
        initialCellGradient = hasCell ? dc0.values : []
        runBackwardWeights(sequence, forward, counter)
    }

    private func runBackwardWeights(
        _ sequence: any RecurrentSequence<Scalar>, _ forward: RecurrentForward<Scalar>, _ counter: HookCounter
    ) {
        let sizes = [
            layer.parameters.inputWeight.count, layer.parameters.hiddenWeight.count,
            layer.parameters.inputBias.count, layer.parameters.hiddenBias.count,
            layer.parameters.projectionWeight.count,
        ]
        let targets = plan.subtrees.map { _ in memory(0, count: sizes.reduce(0, +)) }
        let pointers = targets.map { target in
            let base = target.pointer
            return RecurrentGradientPointers(
                inputWeight: base, hiddenWeight: base + sizes[0], inputBias: base + sizes[0] + sizes[1],
                hiddenBias: base + sizes[0] + sizes[1] + sizes[2],
                projectionWeight: sizes[4] > 0 ? base + sizes[..<4].reduce(0, +) : nil)
        }
        finished = []
        let listener = FinishedListener { memory, byteCount in
            let first = memory.assumingMemoryBound(to: Scalar.self) - UnsafePointer(targets[0].pointer)
            let elements = first..<first + byteCount / MemoryLayout<Scalar>.stride
            self.finished.append((elements, targets.map { Array($0.values[elements]) }))
        }
        sequence.backwardWeights(pointers, leaves: plan, forward: forward, hook: listener.hook)
        parameterGradients = targets.map(\.values)
        // The second time the gradients are added to what is there: twice the value, exactly.
        sequence.backwardWeights(pointers, leaves: plan, forward: forward, hook: counter.hook)
        for (target, once) in zip(targets, parameterGradients) where target.values != once.map({ $0 * 2 }) {
            parameterGradients = []
        }
    }

    private func memory(_ values: [Scalar]) -> Memory<Scalar> { Memory(values, guard: options.guarded) }

    private func memory(_ value: Scalar, count: Int) -> Memory<Scalar> {
        memory([Scalar](repeating: value, count: count))
    }

    /// Elements of the rows with padding between them, but behind the last.
    private func stridedCount(width: Int) -> Int {
        max(0, layer.shape.steps * rows.count * (width + padding) - padding)
    }

    /// Of the caller's arrays: padding behind the columns.
    private func strides(_ width: Int) -> SequenceStrides {
        options.batchMajor
            ? .batchMajor(steps: layer.shape.steps, width: width + padding)
            : .timeMajor(batch: rows.count, width: width + padding)
    }

    /// The held rows with padding between them.
    private func strided(_ values: [Double], width: Int) -> [Scalar] {
        let (steps, batch, strides) = (layer.shape.steps, layer.shape.batch, strides(width))
        var placed = [Scalar](repeating: mark, count: stridedCount(width: width))
        for time in 0..<steps {
            for (index, row) in rows.enumerated() {
                let (source, target) = ((time * batch + row) * width, time * strides.time + index * strides.row)
                for column in 0..<width { placed[target + column] = Scalar(values[source + column]) }
            }
        }
        return placed
    }

    private func states(_ values: [Double], _ width: Int) -> [Scalar] {
        values[rows.lowerBound * width..<rows.upperBound * width].map { Scalar($0) }
    }

    private func columns(of memory: Memory<Scalar>, width: Int) -> [Scalar] {
        let (values, strides) = (memory.values, strides(width))
        return (0..<layer.shape.steps).flatMap { time in
            rows.indices.flatMap { index -> ArraySlice<Scalar> in
                let start = time * strides.time + (index - rows.lowerBound) * strides.row
                let end = start + width
                let next = min(end + padding, values.count)
                touchedPadding = touchedPadding || values[end..<next].contains { $0 != mark }
                return values[start..<end]
            }
        }
    }
}

/// Calls `body` with pointers to copies of the arrays in another type.
func withPointers<Scalar: BinaryFloatingPoint & Sendable, Result>(
    guard side: Memory<Scalar>.Guard = .behind, _ arrays: [[Double]], _ body: ([UnsafePointer<Scalar>]) -> Result
) -> Result {
    let memories = arrays.map { array in Memory(array.map { Scalar($0) }, guard: side) }
    return withExtendedLifetime(memories) { body(memories.map { UnsafePointer($0.pointer) }) }
}

/// Counts the calls of a step hook.
final class HookCounter {
    private let calls = Memory([0])

    var hook: StepHook {
        StepHook(
            function: { context in context!.assumingMemoryBound(to: Int.self).pointee += 1 },
            context: UnsafeMutableRawPointer(calls.pointer))
    }

    /// The calls since the last question.
    func take() -> Int {
        defer { calls.pointer.pointee = 0 }
        return calls.pointer.pointee
    }
}

/// Hears what a kernel says is finished.
final class FinishedListener {
    private let told: (UnsafeRawPointer, Int) -> Void

    init(_ told: @escaping (UnsafeRawPointer, Int) -> Void) { self.told = told }

    var hook: StepHook {
        StepHook(
            finishedFunction: { context, memory, byteCount in
                Unmanaged<FinishedListener>.fromOpaque(context!).takeUnretainedValue().told(memory, byteCount)
            },
            context: Unmanaged.passUnretained(self).toOpaque())
    }
}
