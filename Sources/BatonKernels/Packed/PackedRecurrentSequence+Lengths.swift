import BatonKernelABI

/// The forward pass over rows of unequal lengths.
extension PackedRecurrentSequence {
    func forward(
        steps range: Range<Int>, _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths, training: Bool,
        hook: StepHook
    ) {
        if range.lowerBound == 0 { loadHidden(arguments, lengths) }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = chunkEnd(start, limit: range.upperBound, lengths)
            run(start..<end, arguments, lengths, training: training, hook: hook)
            start = end
        }
        if range.upperBound == steps { writeFinalStates(arguments, lengths, training: training) }
    }

    /// Both slots begin with the initial states: rows that a reverse direction reaches later find theirs in either.
    private func loadHidden(_ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths) {
        let states = gathered.hidden.reserve(2 * batch * outputSize)
        guard let initial = arguments.initialHidden else {
            states.update(repeating: 0, count: 2 * batch * outputSize)
            return
        }
        for (position, row) in (lengths.order + lengths.order).enumerated() {
            (states + position * outputSize).update(from: initial + row * outputSize, count: outputSize)
        }
    }

    /// One step that fuses its products, or steps enough to make an input product worth while.
    private func chunkEnd(_ start: Int, limit: Int, _ lengths: SequenceLengths) -> Int {
        if fusesProducts(rows: lengths.activeRows[time(start)]) { return start + 1 }
        var end = start
        var rows = 0
        while end < limit && rows < Self.projectedRows && !fusesProducts(rows: lengths.activeRows[time(end)]) {
            rows += lengths.activeRows[time(end)]
            end += 1
        }
        return end
    }

    private func run(
        _ range: Range<Int>, _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths, training: Bool,
        hook: StepHook
    ) {
        let times = times(range)
        let firstRow = lengths.rowsBefore[times.lowerBound]
        let rows = lengths.rowsBefore[times.upperBound] - firstRow
        if !training { reserveRows(rows) }
        let input = gatherInput(times, arguments, lengths)
        let gateRow = training ? firstRow : 0
        let fuses = fusesProducts(rows: lengths.activeRows[times.lowerBound])
        if !fuses {
            projectInput(input, rows: rows, into: gates + gateRow * gateRowStride)
        }
        for step in range {
            let row = lengths.rowsBefore[time(step)] - firstRow
            if !isWhole { loadOtherUnits(step, arguments, lengths) }
            run(
                step, input: fuses ? input.from(row: row) : nil, gateRow: gateRow + row, arguments, lengths,
                training: training, hook: hook)
            hook()
        }
    }

    private func run(
        _ step: Int, input: StridedRows?, gateRow: Int,
        _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths, training: Bool, hook: StepHook
    ) {
        let active = lengths.activeRows[time(step)]
        let states = gathered.hidden.base
        let (before, after) = (states + step % 2 * batch * outputSize, states + (step + 1) % 2 * batch * outputSize)
        if active > 0 {
            let slot = cellBuffer.base + (training ? step * batch * paddedHidden : 0)
            if training { enter(step, slot, lengths) }
            run(
                ForwardRows(
                    input: input,
                    previous: step == 0 && arguments.initialHidden == nil
                        ? nil : StridedRows(UnsafePointer(before), stride: outputSize),
                    gateRow: gateRow, previousCell: slot, cell: training ? slot + batch * paddedHidden : slot,
                    output: MutableStridedRows(after, stride: outputSize), count: active),
                training: training, hook: hook)
        }
        let own = weights.ownOutputs
        let strides = arguments.outputStrides
        let output = arguments.output + strides.offset(time: time(step)) + own.lowerBound
        for (position, row) in lengths.order.enumerated() {
            let target = output + row * strides.row
            if position < active {
                target.update(from: after + position * outputSize + own.lowerBound, count: own.count)
            } else {
                target.update(repeating: 0, count: own.count)
            }
        }
    }

    /// What the other parts of the units made in the step before, from the output, where all have written.
    private func loadOtherUnits(_ step: Int, _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths) {
        guard step > 0 else { return }
        let before = gathered.hidden.base + step % 2 * batch * outputSize
        let time = time(step - 1)
        for (position, row) in lengths.order.prefix(lengths.activeRows[time]).enumerated() {
            (before + position * outputSize).update(
                from: arguments.output + arguments.outputStrides.offset(time: time, row: row), count: outputSize)
        }
    }

    /// Rows whose first step in a reverse direction this is begin with their initial c, kept in slot 0.
    private func enter(_ step: Int, _ slot: UnsafeMutablePointer<Float>, _ lengths: SequenceLengths) {
        guard reverse, step > 0, cell.hasCellState else { return }
        let (known, active) = (lengths.activeRows[time(step - 1)], lengths.activeRows[time(step)])
        (slot + known * paddedHidden)
            .update(from: cellBuffer.base + known * paddedHidden, count: (active - known) * paddedHidden)
    }

    /// Row n of h before the step that handles a time; nil is zero.
    func previousHidden(
        time: Int, row: Int, _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths
    ) -> UnsafePointer<Float>? {
        let before = reverse ? time + 1 : time - 1
        guard before >= 0 && before < lengths.lengths[row] else {
            return arguments.initialHidden.map { $0 + row * outputSize }
        }
        return UnsafePointer(arguments.output + arguments.outputStrides.offset(time: before, row: row))
    }

    /// States after each row's own last step. A forward direction leaves c in the slot of the row's length.
    private func writeFinalStates(
        _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths, training: Bool
    ) {
        for (position, row) in lengths.order.enumerated() {
            let length = lengths.lengths[row]
            if let target = arguments.finalHidden {
                let last = previousHidden(time: reverse ? -1 : length, row: row, arguments, lengths)
                if let last {
                    (target + row * outputSize).update(from: last, count: outputSize)
                } else {
                    (target + row * outputSize).update(repeating: 0, count: outputSize)
                }
            }
            if let target = arguments.finalCell, cell.hasCellState {
                let slot = training ? (reverse && length > 0 ? steps : length) : 0
                let own = weights.ownUnits
                (target + row * hidden + own.lowerBound).update(
                    from: cellBuffer.base + (slot * batch + position) * paddedHidden + own.lowerBound,
                    count: own.count)
            }
        }
    }
}
