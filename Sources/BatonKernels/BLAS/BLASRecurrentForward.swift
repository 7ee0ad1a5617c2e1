import BatonChecks
internal import BatonKernelABI

extension BLASRecurrentSequence {
    func forward(steps range: Range<Int>, _ arguments: RecurrentForward<Scalar>, training: Bool, hook: StepHook) {
        order.goForward(range, of: steps, training: training)
        if range.lowerBound == 0 { begin(arguments, training: training) }
        for step in range {
            advance(step, arguments)
            hook()
        }
        guard range.upperBound == steps else { return }
        writeFinal(hiddenState(slot:), width: shape.outputSize, to: arguments.finalHidden)
        if shape.cell.hasCellState { writeFinal(cellState(slot:), width: shape.hidden, to: arguments.finalCell) }
    }

    /// States after each row's own last step. A forward direction leaves a row's state in the slot of its length.
    private func writeFinal(
        _ state: (Int) -> UnsafeMutablePointer<Scalar>, width: Int, to target: UnsafeMutablePointer<Scalar>?
    ) {
        guard let target else { return }
        guard let leafRows else {
            target.update(from: state(steps), count: batch * width)
            return
        }
        for (position, row) in leafRows.order.enumerated() {
            let length = leafRows.lengths.lengths[row]
            let slot = reverse && length > 0 ? steps : length
            (target + row * width).update(from: state(slot) + position * width, count: width)
        }
    }

    /// Brings the workspace into the mode of this pass and the initial states into slot 0.
    private func begin(_ arguments: RecurrentForward<Scalar>, training isTraining: Bool) {
        if isTraining && training == nil {
            training = BLASTrainingWorkspace(shape: shape, steps: capacity, plan: plan)
            hidden = ScalarBuffer((capacity + 1) * batch * shape.outputSize)
            unprojected = ScalarBuffer(shape.projection == nil ? 0 : max(1, capacity) * batch * shape.hidden)
            cell = ScalarBuffer(shape.cell.hasCellState ? (capacity + 1) * batch * shape.hidden : 0)
            gates = ScalarBuffer(max(1, capacity) * batch * shape.gateRows)
        }
        leafRows = arguments.partialLengths(steps: steps, batch: batch).map { LeafRows($0, plan) }
        loadStates(arguments.initialHidden, into: hidden.pointer, width: shape.outputSize)
        if shape.cell.hasCellState { loadStates(arguments.initialCell, into: cell.pointer, width: shape.hidden) }
    }

    /// (N, width) rows by position; nil is zero.
    func loadStates(_ source: UnsafePointer<Scalar>?, into target: UnsafeMutablePointer<Scalar>, width: Int) {
        guard let source else {
            target.update(repeating: 0, count: batch * width)
            return
        }
        for n in 0..<batch { (target + n * width).update(from: source + row(at: n) * width, count: width) }
    }

    /// Rows whose first step in a reverse direction this is begin with their initial state, kept in slot 0.
    private func enter(_ step: Int) {
        guard keepsHistory, reverse, step > 0, leafRows != nil else { return }
        for (now, before) in zip(leaves(of: step), leaves(of: step - 1)) where now.upperBound > before.upperBound {
            let (first, count) = (before.upperBound, now.upperBound - before.upperBound)
            (hiddenState(slot: step) + first * shape.outputSize)
                .update(from: hidden.pointer + first * shape.outputSize, count: count * shape.outputSize)
            guard shape.cell.hasCellState else { continue }
            (cellState(slot: step) + first * shape.hidden)
                .update(from: cell.pointer + first * shape.hidden, count: count * shape.hidden)
        }
    }

    /// Input rows of a step by position.
    private func input(_ step: Int, _ arguments: RecurrentForward<Scalar>) -> (UnsafePointer<Scalar>, stride: Int) {
        let strides = arguments.inputStrides
        let first = arguments.input + strides.offset(time: time(of: step))
        guard leafRows != nil else { return (first, strides.row) }
        let width = shape.inputSize
        for position in leaves(of: step).joined() {
            (inputRows.pointer + position * width)
                .update(from: first + row(at: position) * strides.row, count: width)
        }
        return (UnsafePointer(inputRows.pointer), width)
    }

    /// One step: bias, x·Wᵀ, h₋₁·Uᵀ, gates.
    private func advance(_ step: Int, _ arguments: RecurrentForward<Scalar>) {
        enter(step)
        let (width, gateRows, outputSize) = (shape.hidden, shape.gateRows, shape.outputSize)
        let leaves = leaves(of: step)
        let gate = activations(step: step)
        let (before, after) = (hiddenState(slot: step), gateOutput(step: step))
        fill(gate, step, with: weights.inputBias.pointer)
        let (input, inputStride) = input(step, arguments)
        Scalar.multiply(
            RowProduct(
                leaves: leaves, columns: gateRows, depth: shape.inputSize, input: input, inputStride: inputStride,
                weights: weights.inputWeight.pointer, adds: true, output: gate, outputStride: gateRows))
        let recurrent = shape.cell == .gru ? recurrentGates.pointer : gate
        if shape.cell == .gru { fill(recurrent, step, with: weights.hiddenBias.pointer) }
        Scalar.multiply(
            RowProduct(
                leaves: leaves, columns: gateRows, depth: outputSize, input: before, inputStride: outputSize,
                weights: weights.hiddenWeight.pointer, adds: true, output: recurrent, outputStride: gateRows))
        let (cellBefore, cellAfter) = (cellState(slot: step), cellState(slot: step + 1))
        let kept = keepsHistory ? training?.kept(step: step, count: batch * width) : nil
        for rows in ranges(of: step) {
            let start = rows.lowerBound
            Scalar.activate(
                shape.cell,
                GateStep(
                    rows: rows.count, hidden: width, gates: gate + start * gateRows,
                    recurrentGates: recurrent + start * gateRows, previousHidden: before + start * outputSize,
                    nextHidden: after + start * width, previousCell: cellBefore + start * width,
                    nextCell: cellAfter + start * width, kept: kept.map { $0 + start * width },
                    stateClip: shape.stateClip))
        }
        if let projection = shape.projection {
            Scalar.multiply(
                RowProduct(
                    leaves: leaves, columns: projection, depth: width, input: after, inputStride: width,
                    weights: weights.projectionWeight.pointer, adds: false, output: hiddenState(slot: step + 1),
                    outputStride: projection))
        }
        write(hiddenState(slot: step + 1), step, arguments)
    }

    /// h of a step to the caller's rows; zero where a row takes no part.
    private func write(_ after: UnsafePointer<Scalar>, _ step: Int, _ arguments: RecurrentForward<Scalar>) {
        let strides = arguments.outputStrides
        let first = arguments.output + strides.offset(time: time(of: step))
        for position in leaves(of: step).joined() {
            (first + row(at: position) * strides.row)
                .update(from: after + position * shape.outputSize, count: shape.outputSize)
        }
        guard let lengths = leafRows?.lengths.lengths else { return }
        for row in 0..<batch where lengths[row] <= time(of: step) {
            (first + row * strides.row).update(repeating: 0, count: shape.outputSize)
        }
    }

    private func fill(_ target: UnsafeMutablePointer<Scalar>, _ step: Int, with bias: UnsafePointer<Scalar>) {
        for n in leaves(of: step).joined() { (target + n * shape.gateRows).update(from: bias, count: shape.gateRows) }
    }
}
