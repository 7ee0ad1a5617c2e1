import BatonKernelABI
import BatonTestSupport
import Foundation
import Synchronization

@testable import BatonKernels

/// A `LayerCase` in parts of its hidden units, one thread each, on memory they share, as the ranks of a hidden shard
/// run it: the threads meet in the hook after every step.
final class ShardedRun {
    private(set) var output: [Float] = []
    /// Of every part, whole.
    private(set) var finalHidden: [[Float]] = []
    private(set) var finalCell: [Float] = []
    private(set) var inputGradient: [Float] = []
    private(set) var initialHiddenGradient: [Float] = []
    private(set) var initialCellGradient: [Float] = []
    /// W, U, b, q and V one after the other.
    private(set) var parameterGradients: [Float] = []
    /// Columns of the forward panels that each part holds.
    private(set) var gateColumns: [Int] = []

    /// - Parameter weighsDifferently: whether every other part takes its weights for large (see `fusesProducts`).
    init(
        _ layer: LayerCase<Float>, parts: Int, chunk: Int, lengths: [Int]? = nil, training: Bool = true,
        precision: WeightPrecision = .float32, weighsDifferently: Bool = false
    ) {
        let (t, n, c, h) = (layer.shape.steps, layer.shape.batch, layer.shape.inputSize, layer.shape.hidden)
        let r = layer.outputSize
        let isProjected = layer.projection != nil
        let plan = LeafPlan.whole(rows: n)
        func memory(_ values: [Double]) -> Memory<Float> { Memory(values.map { Float($0) }) }
        func unset(_ count: Int) -> Memory<Float> { Memory([Float](repeating: .nan, count: count)) }
        let (x, h0, c0) = (memory(layer.input), memory(layer.initialHidden), memory(layer.initialCell))
        let (dy, dhn) = (memory(layer.outputGradient), memory(layer.finalHiddenGradient))
        let dcn = memory(layer.finalCellGradient)
        let weights = [
            layer.parameters.inputWeight, layer.parameters.hiddenWeight, layer.parameters.inputBias,
            layer.parameters.hiddenBias, layer.parameters.projectionWeight,
        ].map(memory)
        let shapes = (0..<parts).map { part in
            var shape = layer.recurrentShape
            shape.shard = UnitShard(index: part, count: parts)
            shape.precision = precision
            return shape
        }
        let shared = unset(shapes[0].sharedCount(steps: t, rows: n, training: training))
        let (y, cn, dx) = (unset(t * n * r), unset(n * h), unset(t * n * c))
        let (dh0, dc0) = (unset(n * r), unset(n * h))
        let hn = shapes.map { _ in unset(n * r) }
        let sizes = weights.map(\.count)
        let gradients = Memory([Float](repeating: 0, count: sizes.reduce(0, +)))
        let hasCell = layer.cell.hasCellState
        let meeting = Meeting(of: parts)
        let packed = shapes.map {
            PackedRecurrentWeights(
                $0, kernels: KernelSelection.activeKernels, narrow: KernelSelection.narrowKernels)
        }
        let sequences = packed.map {
            PackedRecurrentSequence(weights: $0, steps: t, batch: n, reverse: layer.reverse)
        }
        if weighsDifferently {
            for part in stride(from: 0, to: parts, by: 2) { sequences[part].largeWeights = 0 }
        }
        let chunks = stride(from: 0, to: t, by: chunk).map { $0..<min(t, $0 + chunk) }

        nonisolated(unsafe) let work: (Int) -> Void = { part in
            packed[part].update(
                from: RecurrentParameterPointers(
                    inputWeight: weights[0].pointer, hiddenWeight: weights[1].pointer, inputBias: weights[2].pointer,
                    hiddenBias: weights[3].pointer,
                    projectionWeight: isProjected ? UnsafePointer(weights[4].pointer) : nil),
                training: training)
            let forward = RecurrentForward<Float>(
                input: x.pointer, inputStrides: .timeMajor(batch: n, width: c),
                initialHidden: UnsafePointer(h0.pointer),
                initialCell: hasCell ? UnsafePointer(c0.pointer) : nil, output: y.pointer,
                outputStrides: .timeMajor(batch: n, width: r),
                finalHidden: hn[part].pointer, finalCell: hasCell ? cn.pointer : nil,
                lengths: lengths.map { SequenceLengths($0, steps: t) }, shared: shared.pointer)
            for range in chunks {
                sequences[part].forward(steps: range, forward, training: training, hook: meeting.hook)
            }
            guard training else { return }
            let backward = RecurrentBackwardData<Float>(
                outputGradient: dy.pointer, finalHiddenGradient: UnsafePointer(dhn.pointer),
                finalCellGradient: hasCell ? UnsafePointer(dcn.pointer) : nil, inputGradient: dx.pointer,
                initialHiddenGradient: dh0.pointer,
                initialCellGradient: hasCell ? dc0.pointer : nil)
            for range in chunks.reversed() {
                sequences[part].backwardData(steps: range, backward, forward: forward, hook: meeting.hook)
            }
            let base = gradients.pointer
            sequences[part].backwardWeights(
                [
                    RecurrentGradientPointers(
                        inputWeight: base, hiddenWeight: base + sizes[0], inputBias: base + sizes[0] + sizes[1],
                        hiddenBias: base + sizes[0] + sizes[1] + sizes[2],
                        projectionWeight: isProjected ? base + sizes[0] + sizes[1] + sizes[2] + sizes[3] : nil)
                ], leaves: plan, forward: forward, hook: .none)
        }
        let finished = Meeting(of: parts + 1)
        for part in 0..<parts {
            Thread.detachNewThread {
                work(part)
                finished.come()
            }
        }
        finished.come()
        withExtendedLifetime([x, h0, c0, dy, dhn, dcn, shared]) {}
        (output, finalHidden, finalCell) = (y.values, hn.map(\.values), hasCell ? cn.values : [])
        gateColumns = packed.map(\.ownGateColumns)
        guard training else { return }
        (inputGradient, initialHiddenGradient) = (dx.values, dh0.values)
        initialCellGradient = hasCell ? dc0.values : []
        parameterGradients = gradients.values
    }

    /// With the final h of one of the parts.
    func results(part: Int) -> LayerResults<Float> {
        LayerResults(
            output: output, finalHidden: finalHidden[part], finalCell: finalCell, inputGradient: inputGradient,
            initialHiddenGradient: initialHiddenGradient, initialCellGradient: initialCellGradient,
            parameterGradients: [parameterGradients])
    }
}

/// Where so many threads wait for each other, again and again.
private final class Meeting: Sendable {
    private let count: Int
    private let arrived = Atomic<Int>(0)

    init(of count: Int) { self.count = count }

    func come() {
        let number = arrived.add(1, ordering: .acquiringAndReleasing).newValue
        let all = (number + count - 1) / count * count
        while arrived.load(ordering: .acquiring) < all { sched_yield() }
    }

    var hook: StepHook {
        StepHook(
            function: { context in
                if let context { Unmanaged<Meeting>.fromOpaque(context).takeUnretainedValue().come() }
            }, context: Unmanaged.passUnretained(self).toOpaque())
    }
}
