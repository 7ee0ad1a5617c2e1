internal import BatonKernelABI

extension BLASRecurrentSequence {
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        guard let training, nextStep == steps, nextBackwardEnd == 0 else {
            preconditionFailure("BLASRecurrentSequence: backwardWeights needs a complete backwardData")
        }
        precondition(
            leaves.leaves == plan.leaves && gradients.count == leaves.subtrees.count,
            "BLASRecurrentSequence: \(gradients.count) destinations for the subtrees \(leaves.subtrees), leaves "
                + "\(leaves.leaves) where the sequence was made for \(plan.leaves)")
        let inputCount = shape.gateRows * shape.inputSize
        let hiddenCount = shape.gateRows * shape.hidden
        for (subtree, target) in zip(leaves.subtrees, gradients) {
            let sum = training.tree.sum(subtree) { leaf, vector in
                writeGradient(of: plan.leaves[leaf], to: vector, forward, training)
                hook()
            }
            let biases = sum + inputCount + hiddenCount
            Scalar.accumulate(sum, into: target.inputWeight, count: inputCount)
            Scalar.accumulate(sum + inputCount, into: target.hiddenWeight, count: hiddenCount)
            Scalar.accumulate(biases, into: target.inputBias, count: shape.gateRows)
            Scalar.accumulate(biases + shape.gateRows, into: target.hiddenBias, count: shape.gateRows)
        }
    }

    /// dW, dU, db and dq of one leaf, one after the other in `vector`.
    private func writeGradient(
        of leaf: Range<Int>, to vector: UnsafeMutablePointer<Scalar>, _ forward: RecurrentForward<Scalar>,
        _ training: BLASTrainingWorkspace<Scalar>
    ) {
        let gateRows = shape.gateRows
        let rows = steps * leaf.count
        let gateStart = offset(leaf, slot: 0, slots: steps, width: gateRows)
        let gate = training.gateGradient.pointer + gateStart
        let recurrent = shape.cell == .gru ? training.recurrentGateGradient.pointer + gateStart : gate
        gatherInput(of: leaf, forward, into: training.gatheredInput.pointer)
        Scalar.multiply(
            rows: gateRows, columns: shape.inputSize, depth: rows,
            MatrixOperand(gate, stride: gateRows, transposed: true),
            MatrixOperand(training.gatheredInput.pointer, stride: shape.inputSize),
            adds: false, into: vector, stride: shape.inputSize)
        let hiddenGradient = vector + gateRows * shape.inputSize
        Scalar.multiply(
            rows: gateRows, columns: shape.hidden, depth: rows,
            MatrixOperand(recurrent, stride: gateRows, transposed: true),
            MatrixOperand(
                hidden.pointer + offset(leaf, slot: 0, slots: steps + 1, width: shape.hidden), stride: shape.hidden),
            adds: false, into: hiddenGradient, stride: shape.hidden)
        let biases = hiddenGradient + gateRows * shape.hidden
        biases.update(repeating: 0, count: 2 * gateRows)
        for row in (0..<rows).reversed() {
            Scalar.accumulate(gate + row * gateRows, into: biases, count: gateRows)
        }
        guard shape.cell == .gru else {
            (biases + gateRows).update(from: biases, count: gateRows)
            return
        }
        for row in (0..<rows).reversed() {
            Scalar.accumulate(recurrent + row * gateRows, into: biases + gateRows, count: gateRows)
        }
    }

    /// Copies the inputs of a leaf together, in processing order.
    private func gatherInput(
        of leaf: Range<Int>, _ forward: RecurrentForward<Scalar>, into target: UnsafeMutablePointer<Scalar>
    ) {
        let width = shape.inputSize
        for step in 0..<steps {
            let row = time(of: step) * batch + leaf.lowerBound
            for n in 0..<leaf.count {
                (target + (step * leaf.count + n) * width)
                    .update(from: forward.input + (row + n) * forward.inputStride, count: width)
            }
        }
    }
}
