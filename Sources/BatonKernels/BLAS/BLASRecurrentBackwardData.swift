import BatonChecks
internal import BatonKernelABI

extension BLASRecurrentSequence {
    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Scalar>, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        order.goBackward(range, of: steps, isReady: weights.transposed != nil)
        guard let training, let transposed = weights.transposed else {
            fatalError("BLASRecurrentSequence: a training pass without its workspace")
        }
        if range.upperBound == steps && !continuesWindow {
            loadStates(arguments.finalHiddenGradient, into: training.hiddenGradient.pointer, width: shape.outputSize)
            if shape.cell.hasCellState {
                loadStates(arguments.finalCellGradient, into: training.cellGradient.pointer, width: shape.hidden)
            }
        }
        for step in range.reversed() {
            retreat(step, arguments, forward, training, transposed)
            hook()
        }
        guard range.lowerBound == 0 else { return }
        writeStates(training.hiddenGradient.pointer, width: shape.outputSize, to: arguments.initialHiddenGradient)
        guard shape.cell.hasCellState else { return }
        writeStates(training.cellGradient.pointer, width: shape.hidden, to: arguments.initialCellGradient)
    }

    private func writeStates(
        _ source: UnsafePointer<Scalar>, width: Int, to target: UnsafeMutablePointer<Scalar>?
    ) {
        guard let target else { return }
        for n in 0..<batch { (target + row(at: n) * width).update(from: source + n * width, count: width) }
    }

    /// One step: dh += dy, gates, dh₋₁ = dQ·U (added to dh⊙z for the GRU), dx = dA·W.
    private func retreat(
        _ step: Int, _ arguments: RecurrentBackwardData<Scalar>, _ forward: RecurrentForward<Scalar>,
        _ training: BLASTrainingWorkspace<Scalar>, _ transposed: BLASRecurrentWeights<Scalar>.Transposed
    ) {
        let (width, gateRows, outputSize) = (shape.hidden, shape.gateRows, shape.outputSize)
        let leaves = leaves(of: step)
        let dh = training.hiddenGradient.pointer
        if let outputGradient = arguments.outputGradient {
            for n in leaves.joined() {
                Scalar.accumulate(
                    outputGradient + forward.outputStrides.offset(time: time(of: step), row: row(at: n)),
                    into: dh + n * outputSize, count: outputSize)
            }
        }
        let gateOutputGradient = unprojectedGradient(step, training, transposed) ?? dh
        let gate = training.gateGradient.pointer + step * batch * gateRows
        let recurrent =
            shape.cell == .gru ? training.recurrentGateGradient.pointer + step * batch * gateRows : gate
        let kept = training.kept(step: step, count: batch * width)
        for rows in ranges(of: step) {
            let (start, gateStart) = (rows.lowerBound * width, rows.lowerBound * gateRows)
            Scalar.differentiate(
                shape.cell,
                GateStepGradient(
                    rows: rows.count, hidden: width, gates: activations(step: step) + gateStart, kept: kept + start,
                    previousHidden: hiddenState(slot: step) + rows.lowerBound * outputSize,
                    nextHidden: gateOutput(step: step) + start, previousCell: cellState(slot: step) + start,
                    hiddenGradient: gateOutputGradient + start, cellGradient: training.cellGradient.pointer + start,
                    gateGradient: gate + gateStart, recurrentGateGradient: recurrent + gateStart,
                    stateClip: shape.stateClip))
        }
        Scalar.multiply(
            RowProduct(
                leaves: leaves, columns: outputSize, depth: gateRows, input: recurrent, inputStride: gateRows,
                weights: transposed.hiddenWeight.pointer, adds: shape.cell == .gru, output: dh,
                outputStride: outputSize))
        writeInputGradient(step, gate, arguments, forward.inputStrides, transposed)
    }

    /// dm = dr·V of a projected layer, nil for others; dr is kept for dV.
    private func unprojectedGradient(
        _ step: Int, _ training: BLASTrainingWorkspace<Scalar>, _ transposed: BLASRecurrentWeights<Scalar>.Transposed
    ) -> UnsafeMutablePointer<Scalar>? {
        guard let projection = shape.projection else { return nil }
        let leaves = leaves(of: step)
        let gradient = training.projectedGradient.pointer + step * batch * projection
        for rows in leaves {
            (gradient + rows.lowerBound * projection).update(
                from: training.hiddenGradient.pointer + rows.lowerBound * projection, count: rows.count * projection)
        }
        Scalar.multiply(
            RowProduct(
                leaves: leaves, columns: shape.hidden, depth: projection, input: gradient, inputStride: projection,
                weights: transposed.projectionWeight.pointer, adds: false,
                output: training.unprojectedGradient.pointer, outputStride: shape.hidden))
        return training.unprojectedGradient.pointer
    }

    /// dx = dA·W of the rows that take part; zero, or nothing added, for the others.
    ///
    /// What is added is complete before: OpenBLAS would add a deep product in several parts to what is there, and the
    /// bits would not be those of two directions whose products were made apart.
    private func writeInputGradient(
        _ step: Int, _ gate: UnsafePointer<Scalar>, _ arguments: RecurrentBackwardData<Scalar>,
        _ strides: SequenceStrides, _ transposed: BLASRecurrentWeights<Scalar>.Transposed
    ) {
        guard let inputGradient = arguments.inputGradient else { return }
        let (width, stride) = (shape.inputSize, strides.row)
        let first = inputGradient + strides.offset(time: time(of: step))
        let isDirect = leafRows == nil && !arguments.addsToInputGradient
        Scalar.multiply(
            RowProduct(
                leaves: leaves(of: step), columns: width, depth: shape.gateRows, input: gate,
                inputStride: shape.gateRows, weights: transposed.inputWeight.pointer,
                adds: false, output: isDirect ? first : inputRows.pointer, outputStride: isDirect ? stride : width))
        if isDirect { return }
        for position in leaves(of: step).joined() {
            let (source, target) = (inputRows.pointer + position * width, first + row(at: position) * stride)
            if arguments.addsToInputGradient {
                Scalar.accumulate(source, into: target, count: width)
            } else {
                target.update(from: source, count: width)
            }
        }
        guard !arguments.addsToInputGradient, let lengths = leafRows?.lengths.lengths else { return }
        for row in 0..<batch where lengths[row] <= time(of: step) {
            (first + row * stride).update(repeating: 0, count: width)
        }
    }
}
