import BatonChecks
public import BatonTensor

/// One cell forwards and one backwards in time; y_t = [l_t, r_t] on the feature axis, both by real time.
///
/// States are those of the left cell, then those of the right one. The cells may differ in type and size, and may be
/// stacks. It can be unrolled only. With lengths the backward cell starts at t = λ−1. Source: Gluon
/// `BidirectionalCell` (parity 1.5, 2.6).
public final class BidirectionalCell: RecurrentCell {
    /// Runs from the first step to the last.
    public let leftCell: RecurrentCell
    /// Runs from the last step to the first.
    public let rightCell: RecurrentCell
    private var fused: FusedUnrolling?

    /// Children are named `l_cell` and `r_cell`; the block's own prefix is empty.
    public init(_ leftCell: RecurrentCell, _ rightCell: RecurrentCell, params: ParameterDict? = nil) {
        self.leftCell = leftCell
        self.rightCell = rightCell
        super.init(BlockOutline(prefix: "", hint: "bidirectional", params: params))
        register(children: [("l_cell", leftCell), ("r_cell", rightCell)])
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        leftCell.stateInfo(batchSize: batchSize) + rightCell.stateInfo(batchSize: batchSize)
    }

    public override func beginState(
        batchSize: Int, _ function: StateFunction = .zeros, dtype: DType? = nil
    ) -> [Variable] {
        require(!isModified, "BidirectionalCell: a modifier wraps this cell; ask the modifier for initial states")
        return [leftCell, rightCell].flatMap { $0.beginState(batchSize: batchSize, function, dtype: dtype) }
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] {
        let (left, right) = (try leftCell.inferShape(input), try rightCell.inferShape(input))
        return left.dropLast() + [(left.last ?? 0) + (right.last ?? 0)]
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        fatalError("BidirectionalCell cannot be stepped, because it needs the whole sequence; use unroll")
    }

    public override func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        if let result = fusedResult(request, context) { return result }
        let layout = request.inputs.layout
        let inputs = maskedInputs(request, context)
        let count = leftCell.stateInfo().count
        var part = request
        part.inputs = inputs
        part.states = Array(request.states[..<count])
        part.mergeOutputs = true
        let left = leftCell.unrollPart(part, context)
        part.inputs = CellSequence(
            context.reverseSequence(inputs.merged, lengths: request.lengths, layout: layout), layout: layout, context)
        part.states = Array(request.states[count...])
        let right = rightCell.unrollPart(part, context)
        let reversed = context.reverseSequence(right.outputs.merged, lengths: request.lengths, layout: layout)
        let joined = context.concatenate([left.outputs.merged, reversed], axis: 2)
        let merges = request.mergeOutputs ?? (request.lengths != nil)
        return (CellSequence(joined, layout: layout, context, isMerged: merges), left.states + right.states)
    }

    /// Two equal plain cells run as one bidirectional layer, once hybridised and of known width.
    private func fusedResult(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable])? {
        guard isHybridized, let left = leftCell as? PlainCell, let right = rightCell as? PlainCell else { return nil }
        for cell in [left, right] { cell.completeInput(request.inputs) }
        fused = fused ?? FusedUnrolling([left, right])
        return fused?.unroll(request, context)
    }

    /// `BidirectionalCell(forward=…, backward=…)`.
    public override var description: String { "BidirectionalCell(forward=\(leftCell), backward=\(rightCell))" }
}
