import BatonChecks
import BatonKernelABI

extension PackedRecurrentSequence {
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Float>], leaves: LeafPlan, forward: RecurrentForward<Float>,
        hook: StepHook
    ) {
        addWeights(gradients, leaves: leaves, forward: forward, continuesChains: false, hook: hook)
    }

    /// `backwardWeights`; or, if chains are continued, every destination holds the chain of its one leaf over the steps
    /// that follow.
    func addWeights(
        _ gradients: [RecurrentGradientPointers<Float>], leaves: LeafPlan, forward: RecurrentForward<Float>,
        continuesChains: Bool, hook: StepHook
    ) {
        gradients.check(leaves, batch: batch, isProjected: isProjected)
        order.checkWalkedBack(of: steps)
        guard batch > 0, steps > 0 else { return }
        let (inputSize, batch, stride, outputSize) = (weights.shape.inputSize, batch, gateRowStride, outputSize)
        let lengths = forward.partialLengths(steps: steps, batch: batch)
        let positions = lengths?.positions
        func workspaceRow(_ time: Int, _ row: Int) -> Int {
            guard let lengths, let positions else { return time * batch + row }
            return lengths.rowsBefore[time] + positions[row]
        }
        let input = PackedWeightGradient.Right(
            rows: {
                StridedRows(
                    forward.input + forward.inputStrides.offset(time: $0, row: $1), stride: forward.inputStrides.row)
            },
            columns: inputSize, targets: gradients.map(\.inputWeight))
        let hiddenSide = PackedWeightGradient.Right(
            rows: { self.previousHidden(time: $0, row: $1, forward, lengths) }, columns: outputSize,
            targets: gradients.map(\.hiddenWeight),
            lacksFirstTime: !reverse && forward.initialHidden == nil)
        let product = PackedWeightGradient(
            table: table, steps: steps, lengths: lengths, leaves: leaves, buffers: gradientBuffers,
            continuesChains: continuesChains)
        product.accumulate(
            left: PackedWeightGradient.Left(base: UnsafePointer(gates)) { workspaceRow($0, $1) * stride },
            strips: gradientStrips(gradients), rights: [input, hiddenSide], hook: hook)
        guard isProjected else { return }
        let (hidden, unprojected) = (hidden, UnsafePointer(unprojected))
        let projected = PackedWeightGradient.Right(
            rows: { StridedRows(unprojected + workspaceRow($0, $1) * hidden, stride: hidden) }, columns: hidden,
            targets: gradients.compactMap(\.projectionWeight))
        product.accumulate(
            left: PackedWeightGradient.Left(base: UnsafePointer(projectedGradient)) {
                workspaceRow($0, $1) * outputSize
            },
            strips: weights.ownOutputStrips.map { strip in
                PackedWeightGradient.LeftStrip(
                    column: strip * lanes, columns: min(lanes, outputSize - strip * lanes), gradientRow: strip * lanes,
                    rights: [0], biases: [])
            }, rights: [projected], hook: hook)
    }

    /// Rows of h before the step that handles a time, from one on; nil is zero. With lengths only that one.
    private func previousHidden(
        time: Int, row: Int, _ forward: RecurrentForward<Float>, _ lengths: SequenceLengths?
    ) -> StridedRows? {
        if let lengths {
            return previousHidden(time: time, row: row, forward, lengths).map { StridedRows($0, stride: 0) }
        }
        return previousHidden(reverse ? steps - 1 - time : time, forward)?.from(row: row)
    }

    /// Every own strip of pre-activation gradients with what it contributes to: the input side, the hidden side, or, but
    /// for the two halves of the GRU's candidate, both.
    private func gradientStrips(
        _ gradients: [RecurrentGradientPointers<Float>]
    ) -> [PackedWeightGradient.LeftStrip] {
        let inputBias = gradients.map(\.inputBias)
        let hiddenBias = gradients.map(\.hiddenBias)
        return (0..<savedGates).flatMap { saved in
            let isInputOnly = cell == .gru && saved == 2
            let isHiddenOnly = cell == .gru && saved == 3
            let rights = isInputOnly ? [0] : isHiddenOnly ? [1] : [0, 1]
            let biases = isInputOnly ? [inputBias] : isHiddenOnly ? [hiddenBias] : [inputBias, hiddenBias]
            return weights.ownStrips.map { strip in
                PackedWeightGradient.LeftStrip(
                    column: saved * paddedHidden + strip * lanes, columns: min(lanes, hidden - strip * lanes),
                    gradientRow: min(saved, weights.gates - 1) * hidden + strip * lanes,
                    rights: rights, biases: biases)
            }
        }
    }
}
