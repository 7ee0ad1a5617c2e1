internal import BatonKernelABI

extension BLASRecurrentSequence {
    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Scalar>, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        guard let training, keepsHistory, nextStep == steps else {
            preconditionFailure("BLASRecurrentSequence: backwardData needs a complete forward pass for training")
        }
        precondition(
            range.upperBound == steps || range.upperBound == nextBackwardEnd,
            "BLASRecurrentSequence: a backward chunk must end at step \(nextBackwardEnd), got \(range)")
        if range.upperBound == steps {
            load(arguments.finalHiddenGradient, into: training.hiddenGradient)
            load(arguments.finalCellGradient, into: training.cellGradient)
        }
        for step in range.reversed() {
            for leaf in plan.leaves where !leaf.isEmpty { retreat(leaf, step: step, arguments, training) }
            hook()
        }
        nextBackwardEnd = range.lowerBound
        guard range.lowerBound == 0 else { return }
        if let target = arguments.initialHiddenGradient {
            target.update(from: training.hiddenGradient.pointer, count: training.hiddenGradient.count)
        }
        if let target = arguments.initialCellGradient {
            target.update(from: training.cellGradient.pointer, count: training.cellGradient.count)
        }
    }

    private func load(_ gradient: UnsafePointer<Scalar>?, into carry: ScalarBuffer<Scalar>) {
        if let gradient {
            carry.pointer.update(from: gradient, count: carry.count)
        } else {
            carry.pointer.update(repeating: 0, count: carry.count)
        }
    }

    /// One step of one leaf: dh += dy, gates, dh₋₁ = dQ·U, dx = dA·W.
    private func retreat(
        _ leaf: Range<Int>, step: Int, _ arguments: RecurrentBackwardData<Scalar>,
        _ training: BLASTrainingWorkspace<Scalar>
    ) {
        let width = shape.hidden
        let gateRows = shape.gateRows
        let row = time(of: step) * batch + leaf.lowerBound
        let dh = training.hiddenGradient.pointer + leaf.lowerBound * width
        if let outputGradient = arguments.outputGradient {
            for n in 0..<leaf.count {
                Scalar.accumulate(
                    outputGradient + (row + n) * arguments.outputGradientStride, into: dh + n * width, count: width)
            }
        }
        let gateStart = offset(leaf, slot: step, slots: steps, width: gateRows)
        let gate = training.gateGradient.pointer + gateStart
        let recurrent = shape.cell == .gru ? training.recurrentGateGradient.pointer + gateStart : gate
        let before = offset(leaf, slot: step, slots: steps + 1, width: width)
        let after = offset(leaf, slot: step + 1, slots: steps + 1, width: width)
        let hasCell = shape.cell.hasCellState
        let keeps = training.kept.count > 0
        Scalar.differentiate(
            shape.cell,
            GateStepGradient(
                rows: leaf.count, hidden: width, gates: gates.pointer + gateStart,
                kept: training.kept.pointer + (keeps ? offset(leaf, slot: step, slots: steps, width: width) : 0),
                previousHidden: hidden.pointer + before, nextHidden: hidden.pointer + after,
                previousCell: cell.pointer + (hasCell ? before : 0), hiddenGradient: dh,
                cellGradient: training.cellGradient.pointer + (hasCell ? leaf.lowerBound * width : 0),
                gateGradient: gate, recurrentGateGradient: recurrent))
        Scalar.multiply(
            rows: leaf.count, columns: width, depth: gateRows,
            MatrixOperand(recurrent, stride: gateRows), MatrixOperand(weights.hiddenWeight.pointer, stride: width),
            adds: shape.cell == .gru, into: dh, stride: width)
        if let inputGradient = arguments.inputGradient {
            Scalar.multiply(
                rows: leaf.count, columns: shape.inputSize, depth: gateRows,
                MatrixOperand(gate, stride: gateRows),
                MatrixOperand(weights.inputWeight.pointer, stride: shape.inputSize),
                adds: arguments.addsToInputGradient, into: inputGradient + row * arguments.inputGradientStride,
                stride: arguments.inputGradientStride)
        }
    }
}
