internal import BatonKernelABI

extension BLASRecurrentSequence {
    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Scalar>, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        guard let training, keepsHistory, nextStep == steps, let transposed = weights.transposed else {
            preconditionFailure(
                "BLASRecurrentSequence: backwardData needs a complete forward pass and an update, both for training")
        }
        precondition(
            range.upperBound == steps || range.upperBound == nextBackwardEnd,
            "BLASRecurrentSequence: a backward chunk must end at step \(nextBackwardEnd), got \(range)")
        if range.upperBound == steps {
            load(arguments.finalHiddenGradient, into: training.hiddenGradient)
            load(arguments.finalCellGradient, into: training.cellGradient)
        }
        for step in range.reversed() {
            retreat(step, arguments, training, transposed)
            hook()
        }
        nextBackwardEnd = range.lowerBound
        guard range.lowerBound == 0 else { return }
        arguments.initialHiddenGradient?
            .update(from: training.hiddenGradient.pointer, count: training.hiddenGradient.count)
        arguments.initialCellGradient?
            .update(from: training.cellGradient.pointer, count: training.cellGradient.count)
    }

    private func load(_ gradient: UnsafePointer<Scalar>?, into carry: ScalarBuffer<Scalar>) {
        if let gradient {
            carry.pointer.update(from: gradient, count: carry.count)
        } else {
            carry.pointer.update(repeating: 0, count: carry.count)
        }
    }

    /// One step: dh += dy, gates, dh₋₁ = dQ·U (added to dh⊙z for the GRU), dx = dA·W.
    private func retreat(
        _ step: Int, _ arguments: RecurrentBackwardData<Scalar>, _ training: BLASTrainingWorkspace<Scalar>,
        _ transposed: BLASRecurrentWeights<Scalar>.Transposed
    ) {
        let (width, gateRows) = (shape.hidden, shape.gateRows)
        let row = time(of: step) * batch
        let dh = training.hiddenGradient.pointer
        if let outputGradient = arguments.outputGradient {
            for n in 0..<batch {
                Scalar.accumulate(
                    outputGradient + (row + n) * arguments.outputGradientStride, into: dh + n * width, count: width)
            }
        }
        let gate = training.gateGradient.pointer + step * batch * gateRows
        let recurrent =
            shape.cell == .gru ? training.recurrentGateGradient.pointer + step * batch * gateRows : gate
        Scalar.differentiate(
            shape.cell,
            GateStepGradient(
                rows: batch, hidden: width, gates: activations(step: step),
                kept: training.kept(step: step, count: batch * width), previousHidden: state(hidden, slot: step),
                nextHidden: state(hidden, slot: step + 1), previousCell: state(cell, slot: step),
                hiddenGradient: dh, cellGradient: training.cellGradient.pointer, gateGradient: gate,
                recurrentGateGradient: recurrent))
        Scalar.multiply(
            RowProduct(
                leaves: plan.leaves, columns: width, depth: gateRows, input: recurrent, inputStride: gateRows,
                weights: transposed.hiddenWeight.pointer, adds: shape.cell == .gru, output: dh,
                outputStride: width))
        guard let inputGradient = arguments.inputGradient else { return }
        Scalar.multiply(
            RowProduct(
                leaves: plan.leaves, columns: shape.inputSize, depth: gateRows, input: gate, inputStride: gateRows,
                weights: transposed.inputWeight.pointer, adds: arguments.addsToInputGradient,
                output: inputGradient + row * arguments.inputGradientStride,
                outputStride: arguments.inputGradientStride))
    }
}
