import BatonChecks
public import BatonTensor

/// Dropout with one mask per sequence: of the inputs, of the first state on its way into the base, and of the outputs.
///
/// Masks are independent of each other, scaled by 1 / (1 − p), drawn at the first step and kept until `reset`. Without
/// dropout of states the base is unrolled as a whole, on the fused kernels where it can be.
///
/// Source: Gal & Ghahramani 2016, arXiv:1512.05287; Gluon contrib `VariationalDropoutCell` (parity 1.5, 2.12).
public final class VariationalDropoutCell: ModifierCell {
    /// p of the inputs.
    public let dropInputs: Double
    /// p of the first state.
    public let dropStates: Double
    /// p of the outputs.
    public let dropOutputs: Double
    private var masks: [String: Tensor] = [:]

    /// - Precondition: rates in [0, 1]; no dropout of states for a base that cannot be stepped.
    public init(_ baseCell: RecurrentCell, dropInputs: Double = 0, dropStates: Double = 0, dropOutputs: Double = 0) {
        for rate in [dropInputs, dropStates, dropOutputs] {
            require((0...1).contains(rate), "VariationalDropoutCell: expected rates in [0, 1], got \(rate)")
        }
        require(
            dropStates == 0 || baseCell.canBeStepped,
            "VariationalDropoutCell: \(baseCell) cannot be stepped, so its states cannot be dropped; wrap the cells inside it"
        )
        self.dropInputs = dropInputs
        self.dropStates = dropStates
        self.dropOutputs = dropOutputs
        super.init(baseCell, alias: "vardrop")
    }

    public override func reset() {
        super.reset()
        masks = [:]
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        var states = states
        if !states.isEmpty { states[0] = dropped(states[0], dropStates, "state", context) }
        let next = baseCell(dropped(input, dropInputs, "inputs", context), states: states, context)
        return (dropped(next.output, dropOutputs, "outputs", context), next.states)
    }

    public override func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        if dropStates > 0 { return unrolledStepByStep(request, context) }
        let layout = request.inputs.layout
        func drop(_ sequence: Variable, _ rate: Double, _ kind: String) -> Variable {
            guard context.isTraining, rate > 0 else { return sequence }
            let (rows, width) = (layout.sizes(sequence.shape).batch, sequence.shape[2])
            let mask = mask([rows, width], sequence.dtype, rate, kind, context)
            return context.scaled(sequence, by: mask.reshaped(layout == .TNC ? [1, rows, width] : [rows, 1, width]))
        }
        var part = request
        part.inputs = CellSequence(
            drop(maskedInputs(request, context).merged, dropInputs, "inputs"), layout: layout, context)
        part.mergeOutputs = true
        let base = unmodified { baseCell.unrollPart(part, context) }
        let outputs = drop(base.outputs.merged, dropOutputs, "outputs")
        return (
            CellSequence(outputs, layout: layout, context, isMerged: request.mergeOutputs ?? true), base.states
        )
    }

    private func dropped(_ value: Variable, _ rate: Double, _ kind: String, _ context: ForwardContext) -> Variable {
        guard context.isTraining, rate > 0 else { return value }
        return context.scaled(value, by: mask(value.shape, value.dtype, rate, kind, context))
    }

    /// The mask of a sequence. It belongs to the first step of the window, whatever step asks for it.
    private func mask(
        _ shape: [Int], _ dtype: DType, _ rate: Double, _ kind: String, _ context: ForwardContext
    ) -> Tensor {
        if let known = masks[kind] { return known }
        let drawn = context.keepMask(shape, dtype: dtype, rate: rate, name: "\(name)_\(kind)")
        masks[kind] = drawn
        return drawn
    }

    /// `VariationalDropoutCell(p_out = 0.3, p_state = 0.2)`.
    public override var description: String {
        "VariationalDropoutCell(p_out = \(dropOutputs), p_state = \(dropStates))"
    }
}
