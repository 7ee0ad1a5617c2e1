import BatonChecks
import BatonKernelABI

/// A window whose gates are computed again, chunk by chunk, right before a chunk is walked back (see `Recomputation`).
///
/// One workspace of C steps serves all chunks. The last chunk keeps its gates from the forward pass, because it is the
/// first to be walked back. A weight gradient is one chain per leaf from the last step to the first; storing an
/// accumulator and loading it again changes nothing, so the chains go on from chunk to chunk in `leafSums`, and the
/// leaves are added by their tree at the end.
final class RecomputedSequence<Scalar: BLASScalar>: RecurrentSequence, Workspace {
    private let part: any WindowPart<Scalar>
    private let shape: RecurrentShape
    private let steps: Int
    private let batch: Int
    private let reverse: Bool
    private let leaves: LeafPlan
    /// In processing order; the first may be shorter than the others.
    private let chunks: [Range<Int>]
    /// (K−1, N, H): c between the chunks, LSTM only.
    private let cells: ScalarBuffer<Scalar>
    /// (N, R): h before the chunk at hand.
    private let hidden: ScalarBuffer<Scalar>
    /// dW, dU, db, dq and dV of every leaf.
    private let leafSums: ScalarBuffer<Scalar>
    private let sumOffsets: [Int]
    private var order = PassOrder()
    /// The chunk whose gates the part holds.
    private var keptChunk: Int?
    /// Whether the first leaf of every subtree holds the subtree's sum.
    private var isSummed = false

    /// - Parameter part: made for min(chunk, steps) steps; `chunk` is a multiple of its unit.
    init(
        part: any WindowPart<Scalar>, shape: RecurrentShape, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan,
        chunk: Int
    ) {
        self.part = part
        self.shape = shape
        self.steps = steps
        self.batch = batch
        self.reverse = reverse
        self.leaves = leaves
        // Cut from the end, so that the chunk walked back first is a whole one.
        let starts = stride(from: steps, to: 0, by: -chunk).map { max(0, $0 - chunk) }
        chunks = starts.reversed().map { $0..<(($0 == 0 ? (steps - 1) % chunk + 1 : $0 + chunk)) }
        cells = ScalarBuffer(shape.cell.hasCellState ? max(0, chunks.count - 1) * batch * shape.hidden : 0)
        hidden = ScalarBuffer(batch * shape.outputSize)
        leafSums = ScalarBuffer(leaves.leaves.count * shape.parameterCount)
        let counts = [
            shape.gateRows * shape.inputSize, shape.gateRows * shape.outputSize, shape.gateRows, shape.gateRows,
        ]
        sumOffsets = counts.reduce(into: [0]) { offsets, count in offsets.append((offsets.last ?? 0) + count) }
    }

    var workspaceBytes: Int {
        part.workspaceBytes + (cells.count + hidden.count + leafSums.count) * MemoryLayout<Scalar>.stride
    }

    private func chunk(of step: Int) -> Int {
        let first = chunks[0].count
        return step < first ? 0 : 1 + (step - first) / chunks[chunks.count - 1].count
    }

    func forward(steps range: Range<Int>, _ arguments: RecurrentForward<Scalar>, training: Bool, hook: StepHook) {
        order.goForward(range, of: steps, training: training)
        require(
            arguments.partialLengths(steps: steps, batch: batch) == nil,
            "RecomputedSequence: rows of unequal lengths must keep their gates")
        var start = range.lowerBound
        while start < range.upperBound {
            let index = chunk(of: start)
            let end = min(range.upperBound, chunks[index].upperBound)
            let keeps = training && index == chunks.count - 1
            run(index, start..<end, own(index, of: arguments, isAgain: false), keeps: keeps, hook)
            keptChunk = keeps ? index : nil
            start = end
        }
    }

    private func run(
        _ index: Int, _ range: Range<Int>, _ arguments: RecurrentForward<Scalar>, keeps: Bool, _ hook: StepHook
    ) {
        let first = chunks[index].lowerBound
        part.steps = chunks[index].count
        part.forward(
            steps: range.lowerBound - first..<range.upperBound - first, arguments, training: keeps, hook: hook)
    }

    /// First time of a chunk in the caller's arrays.
    private func firstTime(_ index: Int) -> Int {
        reverse ? steps - chunks[index].upperBound : chunks[index].lowerBound
    }

    /// The arguments of a chunk. The second time a chunk runs it writes the same output again, but no states.
    private func own(
        _ index: Int, of arguments: RecurrentForward<Scalar>, isAgain: Bool
    ) -> RecurrentForward<Scalar> {
        var own = arguments
        own.lengths = nil
        // Its numbers begin with the first row of the window.
        own.distinctInput = nil
        own.input += arguments.inputStrides.offset(time: firstTime(index))
        own.output += arguments.outputStrides.offset(time: firstTime(index))
        if index > 0 {
            own.initialHidden = loadHidden(before: chunks[index].lowerBound, arguments)
            own.initialCell = shape.cell.hasCellState ? UnsafePointer(cell(border: index - 1)) : nil
        }
        let isLast = index == chunks.count - 1
        own.finalHidden = isLast && !isAgain ? arguments.finalHidden : nil
        own.finalCell = isAgain || !shape.cell.hasCellState ? nil : isLast ? arguments.finalCell : cell(border: index)
        return own
    }

    private func cell(border: Int) -> UnsafeMutablePointer<Scalar> {
        cells.pointer + border * batch * shape.hidden
    }

    /// h before a step that is not the first, rows side by side.
    private func loadHidden(before step: Int, _ arguments: RecurrentForward<Scalar>) -> UnsafePointer<Scalar> {
        let time = reverse ? steps - step : step - 1
        for n in 0..<batch {
            (hidden.pointer + n * shape.outputSize).update(
                from: arguments.output + arguments.outputStrides.offset(time: time, row: n), count: shape.outputSize)
        }
        return UnsafePointer(hidden.pointer)
    }

    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Scalar>, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        // The part looks after its own weights.
        order.goBackward(range, of: steps, isReady: true)
        if range.upperBound == steps {
            leafSums.pointer.update(repeating: 0, count: leafSums.count)
            isSummed = false
        }
        var end = range.upperBound
        while end > range.lowerBound {
            let index = chunk(of: end - 1)
            let chunk = chunks[index]
            let start = max(range.lowerBound, chunk.lowerBound)
            let again = own(index, of: forward, isAgain: true)
            if keptChunk != index {
                run(index, chunk, again, keeps: true, hook)
                keptChunk = index
            }
            part.continuesWindow = index < chunks.count - 1
            part.backwardData(
                steps: start - chunk.lowerBound..<end - chunk.lowerBound, own(index, of: arguments, forward),
                forward: again,
                hook: hook)
            if start == chunk.lowerBound {
                part.continueWeights(
                    leaves.leaves.indices.map(sums(ofLeaf:)), leaves: leaves, forward: again, hook: hook)
                part.keepFollowing()
            }
            end = start
        }
    }

    private func own(
        _ index: Int, of arguments: RecurrentBackwardData<Scalar>, _ forward: RecurrentForward<Scalar>
    ) -> RecurrentBackwardData<Scalar> {
        var own = arguments
        let time = firstTime(index)
        own.outputGradient = arguments.outputGradient.map { $0 + forward.outputStrides.offset(time: time) }
        own.inputGradient = arguments.inputGradient.map { $0 + forward.inputStrides.offset(time: time) }
        if index < chunks.count - 1 {
            own.finalHiddenGradient = nil
            own.finalCellGradient = nil
        }
        if index > 0 {
            own.initialHiddenGradient = nil
            own.initialCellGradient = nil
        }
        return own
    }

    private func vector(ofLeaf leaf: Int) -> UnsafeMutablePointer<Scalar> {
        leafSums.pointer + leaf * shape.parameterCount
    }

    private func sums(ofLeaf leaf: Int) -> RecurrentGradientPointers<Scalar> {
        let base = vector(ofLeaf: leaf)
        return RecurrentGradientPointers(
            inputWeight: base, hiddenWeight: base + sumOffsets[1], inputBias: base + sumOffsets[2],
            hiddenBias: base + sumOffsets[3], projectionWeight: shape.projection == nil ? nil : base + sumOffsets[4])
    }

    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Scalar>], leaves plan: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        order.checkWalkedBack(of: steps)
        require(plan == leaves, "RecomputedSequence: the leaves \(plan), made for \(leaves)")
        gradients.check(leaves, batch: batch, isProjected: shape.projection != nil)
        for (subtree, target) in zip(leaves.subtrees, gradients) {
            if !isSummed { sum(subtree) }
            let total = sums(ofLeaf: subtree.lowerBound)
            Scalar.accumulate(total.inputWeight, into: target.inputWeight, count: sumOffsets[1])
            Scalar.accumulate(total.hiddenWeight, into: target.hiddenWeight, count: sumOffsets[2] - sumOffsets[1])
            Scalar.accumulate(total.inputBias, into: target.inputBias, count: shape.gateRows)
            Scalar.accumulate(total.hiddenBias, into: target.hiddenBias, count: shape.gateRows)
            if let own = total.projectionWeight, let weight = target.projectionWeight {
                Scalar.accumulate(own, into: weight, count: shape.parameterCount - sumOffsets[4])
            }
        }
        isSummed = true
    }

    /// Adds the leaves of a subtree, left + right, into its first one.
    private func sum(_ subtree: Range<Int>) {
        guard subtree.count > 1 else { return }
        let middle = subtree.lowerBound + subtree.count / 2
        sum(subtree.lowerBound..<middle)
        sum(middle..<subtree.upperBound)
        Scalar.accumulate(vector(ofLeaf: middle), into: vector(ofLeaf: subtree.lowerBound), count: shape.parameterCount)
    }
}

extension KernelScalar where Self: BLASScalar {
    /// A recomputed window whose chunks run on sequences of a type, with chunks of a length that they take.
    static func recomputedSequence<Part: WindowPart<Self>>(
        _ weights: any RecurrentWeights<Self>, _ type: Part.Type, steps: Int, batch: Int, reverse: Bool,
        leaves: LeafPlan, chunk: Int
    ) -> any RecurrentSequence<Self> {
        let chunk = (chunk + Part.unit - 1) / Part.unit * Part.unit
        let sequence = makeRecurrentSequence(
            weights: weights, steps: min(chunk, steps), batch: batch, reverse: reverse, leaves: leaves)
        guard let part = sequence as? Part else {
            fatalError("recomputedSequence: \(Swift.type(of: sequence)) where \(type) is expected")
        }
        return RecomputedSequence(
            part: part, shape: weights.shape, steps: steps, batch: batch, reverse: reverse, leaves: leaves,
            chunk: chunk)
    }
}
