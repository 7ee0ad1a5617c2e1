import BatonChecks
public import BatonTensor

/// Keeps random elements of outputs and states at their previous values, in training; the base cell itself otherwise.
///
/// (ŷ, ŝ) = base(x, s); y_t = M_y ? ŷ : y_{t−1} with y_{−1} = 0, s_k = M_k ? ŝ_k : s_{k,t−1}; every mask is 1 with
/// probability 1 − p, per element, and nothing is rescaled. Output and state h have masks of their own, as in Gluon, so
/// they may disagree; `sharesOutputMask` gives them one, so that y_t = h_t wherever the base has that.
///
/// Source: Krueger et al. 2017, arXiv:1606.01305; Gluon `ZoneoutCell` (parity 1.5, 2.10).
public final class ZoneoutCell: ModifierCell {
    /// Probability that an element of the output stays.
    public let zoneoutOutputs: Double
    /// Probability that an element of a state stays.
    public let zoneoutStates: Double
    /// Whether the first state has the output's mask.
    public let sharesOutputMask: Bool
    /// y_{t−1}, zoned out already.
    private var previousOutput: Variable?

    /// - Precondition: probabilities in [0, 1]; a base that can be stepped; with a shared mask, equal probabilities.
    public init(
        _ baseCell: RecurrentCell, zoneoutOutputs: Double = 0, zoneoutStates: Double = 0,
        sharesOutputMask: Bool = false
    ) {
        require(
            (0...1).contains(zoneoutOutputs) && (0...1).contains(zoneoutStates),
            "ZoneoutCell: expected probabilities in [0, 1], got \(zoneoutOutputs) and \(zoneoutStates)")
        require(
            !sharesOutputMask || zoneoutOutputs == zoneoutStates,
            "ZoneoutCell: one mask needs one probability, got \(zoneoutOutputs) and \(zoneoutStates)")
        require(
            baseCell.canBeStepped,
            "ZoneoutCell: \(baseCell) cannot be stepped; apply zoneout to the cells of a BidirectionalCell instead")
        self.zoneoutOutputs = zoneoutOutputs
        self.zoneoutStates = zoneoutStates
        self.sharesOutputMask = sharesOutputMask
        super.init(baseCell, alias: "zoneout")
    }

    public override func reset() {
        super.reset()
        previousOutput = nil
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let next = baseCell(input, states: states, context)
        guard context.isTraining else { return next }
        var output = next.output
        var newStates = next.states
        let outputMask = mask(output, zoneoutOutputs, "outputs", context)
        if let outputMask {
            let previous = previousOutput ?? Variable(Tensor(zeros: output.shape, dtype: output.dtype))
            output = context.select(outputMask, output, previous)
        }
        for index in newStates.indices {
            let shared = index == 0 && sharesOutputMask ? outputMask : nil
            if let mask = shared ?? mask(newStates[index], zoneoutStates, "state\(index)", context) {
                newStates[index] = context.select(mask, newStates[index], states[index])
            }
        }
        previousOutput = output
        return (output, newStates)
    }

    private func mask(_ value: Variable, _ rate: Double, _ kind: String, _ context: ForwardContext) -> Tensor? {
        rate > 0 ? context.keepMask(value.shape, dtype: value.dtype, rate: rate, name: "\(name)_\(kind)") : nil
    }

    /// `ZoneoutCell(p_out=0.1, p_state=0.2, LSTMCell(…))`.
    public override var description: String {
        "ZoneoutCell(p_out=\(zoneoutOutputs), p_state=\(zoneoutStates), \(baseCell))"
    }
}

extension RecurrentCell {
    /// Whether the cell works on single steps: no `BidirectionalCell` in it.
    final var canBeStepped: Bool {
        if self is BidirectionalCell { return false }
        return children.allSatisfy { ($0.block as? RecurrentCell)?.canBeStepped ?? true }
    }
}
