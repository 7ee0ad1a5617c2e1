import BatonKernelABI

/// The data half of the backward pass over rows of unequal lengths.
extension PackedRecurrentSequence {
    func backwardData(
        steps range: Range<Int>, _ arguments: RecurrentBackwardData<Float>, _ forward: RecurrentForward<Float>,
        _ lengths: SequenceLengths, hook: StepHook
    ) {
        for step in range.reversed() {
            run(step, arguments, forward, lengths, hook: hook)
            hook()
        }
        if range.lowerBound == 0 { writeInitialStateGradients(arguments, lengths) }
        writeInputGradient(times(range), arguments, forward, lengths)
    }

    private func gates(time: Int, position: Int = 0, _ lengths: SequenceLengths) -> UnsafeMutablePointer<Float> {
        gates + (lengths.rowsBefore[time] + position) * gateRowStride
    }

    /// Rows with a step after this one, then rows whose last step this is and that start from the final gradients.
    private func run(
        _ step: Int, _ arguments: RecurrentBackwardData<Float>, _ forward: RecurrentForward<Float>,
        _ lengths: SequenceLengths, hook: StepHook
    ) {
        let time = time(step)
        let active = lengths.activeRows[time]
        let after = step + 1 < steps ? self.time(step + 1) : nil
        let continuing = after.map { min(active, lengths.activeRows[$0]) } ?? 0
        let outputGradient = arguments.outputGradient.map { gradient in
            gather(active, width: outputSize, into: gathered.outputGradient) { position in
                gradient + forward.outputStrides.offset(time: time, row: lengths.order[position])
            }
        }
        let stepHidden = stepHidden(time, active, forward, lengths)
        for rows in [0..<continuing, continuing..<active] where !rows.isEmpty {
            let first = rows.lowerBound
            run(
                BackwardRows(
                    following: first < continuing ? after.map { gates(time: $0, lengths) } : nil,
                    outputGradient: outputGradient?.from(row: first),
                    gateRow: lengths.rowsBefore[time] + first,
                    previousCell: cellBuffer.base + (step * batch + first) * paddedHidden,
                    hidden: stepHidden?.from(row: first), first: first, count: rows.count),
                hook: hook)
        }
    }

    /// GRU: h before the step. RNN: h of the step.
    private func stepHidden(
        _ time: Int, _ active: Int, _ forward: RecurrentForward<Float>, _ lengths: SequenceLengths
    ) -> StridedRows? {
        switch cell {
        case .lstm: nil
        case .gru:
            gather(active, width: hidden, into: gathered.stepHidden) { position in
                previousHidden(time: time, row: lengths.order[position], forward, lengths)
            }
        case .rnnTanh, .rnnRelu:
            gather(active, width: hidden, into: gathered.stepHidden) { position in
                UnsafePointer(forward.output + forward.outputStrides.offset(time: time, row: lengths.order[position]))
            }
        }
    }

    /// Rows side by side; a row that is nil is zero.
    private func gather(
        _ count: Int, width: Int, into buffer: AlignedBuffer, _ row: (_ position: Int) -> UnsafePointer<Float>?
    ) -> StridedRows {
        let target = buffer.reserve(count * width)
        for position in 0..<count {
            if let source = row(position) {
                (target + position * width).update(from: source, count: width)
            } else {
                (target + position * width).update(repeating: 0, count: width)
            }
        }
        return StridedRows(UnsafePointer(target), stride: width)
    }

    /// dh₀ and dc₀: the chain of a step before each row's first. Rows of no steps hand the final gradients through.
    private func writeInitialStateGradients(_ arguments: RecurrentBackwardData<Float>, _ lengths: SequenceLengths) {
        if let target = arguments.initialCellGradient, cell.hasCellState {
            unpad(
                UnsafePointer(cellCarry.base), columns: weights.ownUnits, into: target, width: hidden, lengths)
        }
        guard let target = arguments.initialHiddenGradient else { return }
        let started = lengths.activeRows.first ?? 0
        let gradient = gathered.initialHiddenGradient.reserve(batch * outputSize)
        for position in 0..<batch {
            let out = gradient + position * outputSize
            if cell == .gru || position >= started {
                out.update(from: hiddenCarry.base + position * paddedOutput, count: outputSize)
            } else {
                out.update(repeating: 0, count: outputSize)
            }
        }
        if started > 0 { addHiddenGradient(of: firstGates(started, lengths), to: gradient, rows: started) }
        let own = weights.ownOutputs
        for (position, row) in lengths.order.enumerated() {
            (target + row * outputSize + own.lowerBound).update(
                from: gradient + position * outputSize + own.lowerBound, count: own.count)
        }
    }

    /// Pre-activation gradients of every row's first step: at time 0, or backwards in time at its last.
    private func firstGates(_ count: Int, _ lengths: SequenceLengths) -> UnsafeMutablePointer<Float> {
        guard reverse else { return gates(time: 0, lengths) }
        let target = gathered.firstGates.reserve(count * gateRowStride)
        for (position, row) in lengths.order.prefix(count).enumerated() {
            (target + position * gateRowStride).update(
                from: gates(time: lengths.lengths[row] - 1, position: position, lengths), count: gateRowStride)
        }
        return target
    }
}
