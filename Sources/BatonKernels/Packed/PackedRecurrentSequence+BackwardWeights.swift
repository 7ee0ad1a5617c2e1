import BatonKernelABI

extension PackedRecurrentSequence {
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Float>], leaves: LeafPlan, forward: RecurrentForward<Float>,
        hook: StepHook
    ) {
        precondition(
            leaves.rowCount == batch && gradients.count == leaves.subtrees.count,
            "RecurrentSequence.backwardWeights: \(leaves.rowCount) rows and \(gradients.count) targets, expected \(batch) and \(leaves.subtrees.count)"
        )
        guard batch > 0, steps > 0 else { return }
        let (inputSize, batch, stride) = (weights.shape.inputSize, batch, gateRowStride)
        let input = PackedWeightGradient.Right(
            rows: { (forward.input + $0 * batch * forward.inputStride, forward.inputStride) }, columns: inputSize,
            targets: gradients.map(\.inputWeight), targetStride: inputSize)
        let hiddenSide = PackedWeightGradient.Right(
            rows: { self.previousHidden(self.reverse ? self.steps - 1 - $0 : $0, forward) }, columns: hidden,
            targets: gradients.map(\.hiddenWeight), targetStride: hidden)
        let gates = UnsafePointer(gateBuffer.base)
        PackedWeightGradient(table: table, steps: steps, leaves: leaves, buffers: gradientBuffers).accumulate(
            left: PackedWeightGradient.Left(base: gates, timeStride: batch * stride, rowStride: stride),
            strips: gradientStrips(gradients), rights: [input, hiddenSide], hook: hook)
    }

    /// Every strip of pre-activation gradients with what it contributes to: the input side, the hidden side, or, but
    /// for the two halves of the GRU's candidate, both.
    private func gradientStrips(
        _ gradients: [RecurrentGradientPointers<Float>]
    ) -> [PackedWeightGradient.LeftStrip] {
        let inputBias = gradients.map(\.inputBias)
        let hiddenBias = gradients.map(\.hiddenBias)
        return (0..<savedGates).flatMap { saved in
            let isInputOnly = cell == .gru && saved == 2
            let isHiddenOnly = cell == .gru && saved == 3
            return (0..<unitStrips).map { strip in
                PackedWeightGradient.LeftStrip(
                    column: saved * paddedHidden + strip * lanes, columns: min(lanes, hidden - strip * lanes),
                    gradientRow: min(saved, weights.gates - 1) * hidden + strip * lanes,
                    rights: isInputOnly ? [0] : isHiddenOnly ? [1] : [0, 1],
                    biases: isInputOnly ? [inputBias] : isHiddenOnly ? [hiddenBias] : [inputBias, hiddenBias])
            }
        }
    }
}
