internal import BatonKernelABI

extension BLASRecurrentSequence {
    func forward(steps range: Range<Int>, _ arguments: RecurrentForward<Scalar>, training: Bool, hook: StepHook) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= steps,
            "BLASRecurrentSequence: steps \(range) of a window of \(steps)")
        if range.lowerBound == 0 {
            begin(arguments, training: training)
        } else {
            precondition(
                range.lowerBound == nextStep && training == keepsHistory,
                "BLASRecurrentSequence: a chunk must start at step \(nextStep) in the mode of the one before")
        }
        for step in range {
            advance(step, arguments)
            hook()
        }
        nextStep = range.upperBound
        nextBackwardEnd = steps
        guard range.upperBound == steps else { return }
        let count = batch * shape.hidden
        arguments.finalHidden?.update(from: state(hidden, slot: steps), count: count)
        if shape.cell.hasCellState { arguments.finalCell?.update(from: state(cell, slot: steps), count: count) }
    }

    /// Brings the workspace into the mode of this pass and the initial states into slot 0.
    private func begin(_ arguments: RecurrentForward<Scalar>, training isTraining: Bool) {
        keepsHistory = isTraining
        if isTraining && training == nil {
            training = BLASTrainingWorkspace(shape: shape, steps: steps, plan: plan)
            hidden = ScalarBuffer((steps + 1) * batch * shape.hidden)
            cell = ScalarBuffer(shape.cell.hasCellState ? (steps + 1) * batch * shape.hidden : 0)
            gates = ScalarBuffer(max(1, steps) * batch * shape.gateRows)
        }
        load(arguments.initialHidden, into: hidden)
        if shape.cell.hasCellState { load(arguments.initialCell, into: cell) }
    }

    private func load(_ initial: UnsafePointer<Scalar>?, into states: ScalarBuffer<Scalar>) {
        if let initial {
            states.pointer.update(from: initial, count: batch * shape.hidden)
        } else {
            states.pointer.update(repeating: 0, count: batch * shape.hidden)
        }
    }

    /// One step: bias, x·Wᵀ, h₋₁·Uᵀ, gates.
    private func advance(_ step: Int, _ arguments: RecurrentForward<Scalar>) {
        let row = time(of: step) * batch
        let gate = activations(step: step)
        let (before, after) = (state(hidden, slot: step), state(hidden, slot: step + 1))
        fill(gate, with: weights.inputBias.pointer)
        Scalar.multiply(
            RowProduct(
                leaves: plan.leaves, columns: shape.gateRows, depth: shape.inputSize,
                input: arguments.input + row * arguments.inputStride, inputStride: arguments.inputStride,
                weights: weights.inputWeight.pointer, adds: true, output: gate, outputStride: shape.gateRows))
        let recurrent = shape.cell == .gru ? recurrentGates.pointer : gate
        if shape.cell == .gru { fill(recurrent, with: weights.hiddenBias.pointer) }
        Scalar.multiply(
            RowProduct(
                leaves: plan.leaves, columns: shape.gateRows, depth: shape.hidden, input: before,
                inputStride: shape.hidden, weights: weights.hiddenWeight.pointer, adds: true, output: recurrent,
                outputStride: shape.gateRows))
        Scalar.activate(
            shape.cell,
            GateStep(
                rows: batch, hidden: shape.hidden, gates: gate, recurrentGates: recurrent,
                previousHidden: before, nextHidden: after, previousCell: state(cell, slot: step),
                nextCell: state(cell, slot: step + 1),
                kept: keepsHistory ? training?.kept(step: step, count: batch * shape.hidden) : nil))
        for n in 0..<batch {
            (arguments.output + (row + n) * arguments.outputStride)
                .update(from: after + n * shape.hidden, count: shape.hidden)
        }
    }

    private func fill(_ target: UnsafeMutablePointer<Scalar>, with bias: UnsafePointer<Scalar>) {
        for n in 0..<batch { (target + n * shape.gateRows).update(from: bias, count: shape.gateRows) }
    }
}
