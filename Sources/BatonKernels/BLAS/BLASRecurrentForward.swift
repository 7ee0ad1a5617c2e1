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
            for leaf in plan.leaves where !leaf.isEmpty { advance(leaf, step: step, arguments) }
            hook()
        }
        nextStep = range.upperBound
        nextBackwardEnd = steps
        if range.upperBound == steps { finish(arguments) }
    }

    /// Slots per leaf of the state arrays, and of the arrays with one entry per step.
    private var stateSlots: Int { keepsHistory ? steps + 1 : 1 }
    private var gateSlots: Int { keepsHistory ? steps : 1 }

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
        for leaf in plan.leaves {
            let target = states.pointer + offset(leaf, slot: 0, slots: stateSlots, width: shape.hidden)
            let count = leaf.count * shape.hidden
            if let initial {
                target.update(from: initial + leaf.lowerBound * shape.hidden, count: count)
            } else {
                target.update(repeating: 0, count: count)
            }
        }
    }

    /// One step of one leaf: bias, x·Wᵀ, h₋₁·Uᵀ, gates.
    private func advance(_ leaf: Range<Int>, step: Int, _ arguments: RecurrentForward<Scalar>) {
        let width = shape.hidden
        let gateRows = shape.gateRows
        let row = time(of: step) * batch + leaf.lowerBound
        let gate = gates.pointer
            + offset(leaf, slot: keepsHistory ? step : 0, slots: gateSlots, width: gateRows)
        let before = offset(leaf, slot: keepsHistory ? step : 0, slots: stateSlots, width: width)
        let after = offset(leaf, slot: keepsHistory ? step + 1 : 0, slots: stateSlots, width: width)
        fill(gate, with: weights.inputBias.pointer, rows: leaf.count)
        Scalar.multiply(
            rows: leaf.count, columns: gateRows, depth: shape.inputSize,
            MatrixOperand(arguments.input + row * arguments.inputStride, stride: arguments.inputStride),
            MatrixOperand(weights.inputWeight.pointer, stride: shape.inputSize, transposed: true),
            adds: true, into: gate, stride: gateRows)
        let recurrent = shape.cell == .gru ? recurrentGates.pointer : gate
        if shape.cell == .gru { fill(recurrent, with: weights.hiddenBias.pointer, rows: leaf.count) }
        Scalar.multiply(
            rows: leaf.count, columns: gateRows, depth: width,
            MatrixOperand(hidden.pointer + before, stride: width),
            MatrixOperand(weights.hiddenWeight.pointer, stride: width, transposed: true),
            adds: true, into: recurrent, stride: gateRows)
        let keptStart = offset(leaf, slot: step, slots: steps, width: width)
        let hasCell = shape.cell.hasCellState
        Scalar.activate(
            shape.cell,
            GateStep(
                rows: leaf.count, hidden: width, gates: gate, recurrentGates: recurrent,
                previousHidden: hidden.pointer + before, nextHidden: hidden.pointer + after,
                previousCell: cell.pointer + (hasCell ? before : 0),
                nextCell: cell.pointer + (hasCell ? after : 0),
                kept: keepsHistory ? training.map { $0.kept.pointer + ($0.kept.count > 0 ? keptStart : 0) } : nil))
        for n in 0..<leaf.count {
            (arguments.output + (row + n) * arguments.outputStride)
                .update(from: hidden.pointer + after + n * width, count: width)
        }
    }

    private func fill(_ target: UnsafeMutablePointer<Scalar>, with bias: UnsafePointer<Scalar>, rows: Int) {
        for n in 0..<rows { (target + n * shape.gateRows).update(from: bias, count: shape.gateRows) }
    }

    private func finish(_ arguments: RecurrentForward<Scalar>) {
        for leaf in plan.leaves {
            let last = offset(leaf, slot: keepsHistory ? steps : 0, slots: stateSlots, width: shape.hidden)
            let start = leaf.lowerBound * shape.hidden
            let count = leaf.count * shape.hidden
            if let target = arguments.finalHidden {
                (target + start).update(from: hidden.pointer + last, count: count)
            }
            if let target = arguments.finalCell, shape.cell.hasCellState {
                (target + start).update(from: cell.pointer + last, count: count)
            }
        }
    }
}
