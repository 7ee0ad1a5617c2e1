import BatonChecks
public import BatonTensor

/// Adds the input to the output: y_t = base(x)_t + x_t; states are the base's. The output must be as wide as the
/// input. With lengths the added input is zero in the padding. Source: Gluon `ResidualCell` (parity 1.5, 2.11).
public final class ResidualCell: ModifierCell {
    /// Becomes the base's modifier.
    public init(_ baseCell: RecurrentCell) { super.init(baseCell, alias: "residualcell") }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let next = baseCell(input, states: states, context)
        return (sum(next.output, input, context), next.states)
    }

    public override func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        let inputs = maskedInputs(request, context)
        var part = request
        part.inputs = inputs
        let base = unmodified { baseCell.unrollPart(part, context) }
        let total = sum(base.outputs.merged, inputs.merged, context)
        return (
            CellSequence(total, layout: inputs.layout, context, isMerged: base.outputs.isMerged), base.states
        )
    }

    private func sum(_ output: Variable, _ input: Variable, _ context: ForwardContext) -> Variable {
        require(
            output.shape == input.shape,
            "\(name): expected an output \(input.shape) like the input, got \(output.shape); the widths must agree")
        return context.add(output, input)
    }

    /// `ResidualCell(GRUCell(…))`.
    public override var description: String { "ResidualCell(\(baseCell))" }
}
