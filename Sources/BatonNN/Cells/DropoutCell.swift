import BatonChecks
public import BatonTensor

/// Dropout as a cell without states: y = x ⊙ M / (1 − p) in training, x itself otherwise.
///
/// Axes with one shared mask are counted on the tensor that is dropped: (N, C) when stepping or for a list of steps,
/// (N, T, C) or (T, N, C) for one tensor. Without axes stepping and unrolling draw the same mask. Rate 1 gives zeros.
/// Source: Gluon `DropoutCell` (parity 1.5, 2.9), which leaves padding in place where this one writes zeros.
public final class DropoutCell: RecurrentCell {
    /// p, a fraction.
    public let rate: Double
    /// Axes along which the mask does not change.
    public let axes: [Int]

    /// - Precondition: 0 ≤ rate ≤ 1.
    public init(rate: Double, axes: [Int] = [], prefix: String? = nil, params: ParameterDict? = nil) {
        require((0...1).contains(rate), "DropoutCell: expected a rate in [0, 1], got \(rate)")
        self.rate = rate
        self.axes = axes
        super.init(BlockOutline(prefix: prefix, hint: "dropout", params: params))
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] { [] }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] { input }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        (context.dropout(input, rate: rate, name: name, sharedAxes: axes), states)
    }

    public override func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        let inputs = request.inputs
        guard request.mergeOutputs ?? inputs.isMerged else {
            var part = request
            part.mergeOutputs = false
            return unrolledStepByStep(part, context)
        }
        let layout = inputs.layout
        let dropped = context.dropout(
            maskedInputs(request, context).merged, rate: rate, name: name, sharedAxes: axes, layout: layout)
        return (CellSequence(dropped, layout: layout, context), request.states)
    }

    /// `DropoutCell(rate=0.3, axes=())`.
    public override var description: String {
        let list = axes.map(String.init).joined(separator: ", ")
        return "DropoutCell(rate=\(rate), axes=(\(list)\(axes.count == 1 ? "," : "")))"
    }
}
