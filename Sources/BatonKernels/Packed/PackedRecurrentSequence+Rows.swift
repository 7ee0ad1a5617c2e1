import BatonKernelABI

/// Rows between the caller's arrays and the workspace, which has those of a time side by side, with lengths in their order
/// and only the ones that take part.
extension PackedRecurrentSequence {
    /// The times that a range of steps handles.
    func times(_ range: Range<Int>) -> Range<Int> {
        reverse ? steps - range.upperBound..<steps - range.lowerBound : range
    }

    /// Rows that take part at a time.
    private func activeRows(_ time: Int, _ lengths: SequenceLengths?) -> Int { lengths?.activeRows[time] ?? batch }

    /// Rows that take part at all times before one.
    private func rowsBefore(_ time: Int, _ lengths: SequenceLengths?) -> Int {
        lengths?.rowsBefore[time] ?? time * batch
    }

    /// The input of the rows that take part at some times, side by side.
    func gatherInput(
        _ times: Range<Int>, _ arguments: RecurrentForward<Float>, _ lengths: SequenceLengths?
    ) -> StridedRows {
        let width = weights.shape.inputSize
        let rows = rowsBefore(times.upperBound, lengths) - rowsBefore(times.lowerBound, lengths)
        let target = gathered.input.reserve(rows * width)
        var out = target
        for time in times {
            for position in 0..<activeRows(time, lengths) {
                let row = lengths?.order[position] ?? position
                out.update(from: arguments.input + arguments.inputStrides.offset(time: time, row: row), count: width)
                out += width
            }
        }
        return StridedRows(UnsafePointer(target), stride: width)
    }

    /// Rows of input gradients that are made together: the second-level cache keeps much of their gates for all panels, and
    /// where the gradients cannot be made in their places, little memory holds them.
    private static let inputGradientRows = 192

    /// dx = dA·W for some times, if it is wanted; zero, or nothing added, for rows that take no part.
    func writeInputGradient(
        _ times: Range<Int>, _ arguments: RecurrentBackwardData<Float>, _ forward: RecurrentForward<Float>,
        _ lengths: SequenceLengths?
    ) {
        guard let target = arguments.inputGradient, !times.isEmpty, batch > 0 else { return }
        let strides = forward.inputStrides
        if lengths == nil, let distance = strides.distance(batch: batch) {
            inputGradient(
                of: gates + times.lowerBound * batch * gateRowStride, rows: times.count * batch,
                into: target + strides.offset(time: times.lowerBound), stride: distance,
                adds: arguments.addsToInputGradient)
            return
        }
        let width = weights.shape.inputSize
        var start = times.lowerBound
        while start < times.upperBound {
            let firstRow = rowsBefore(start, lengths)
            var end = start + 1
            while end < times.upperBound && rowsBefore(end, lengths) - firstRow < Self.inputGradientRows { end += 1 }
            let rows = rowsBefore(end, lengths) - firstRow
            let made = gathered.inputGradient.reserve(rows * width)
            if rows > 0 {
                inputGradient(
                    of: gates + firstRow * gateRowStride, rows: rows, into: made, stride: width, adds: false)
            }
            for time in start..<end {
                scatter(
                    UnsafePointer(made) + (rowsBefore(time, lengths) - firstRow) * width, time: time,
                    into: target + strides.offset(time: time), stride: strides.row,
                    adds: arguments.addsToInputGradient, lengths)
            }
            start = end
        }
    }

    /// Input gradients of a time to their places; own columns.
    private func scatter(
        _ source: UnsafePointer<Float>, time: Int, into target: UnsafeMutablePointer<Float>, stride: Int, adds: Bool,
        _ lengths: SequenceLengths?
    ) {
        let (width, own) = (weights.shape.inputSize, weights.ownInputs)
        let add = table.elementWise.add
        for position in 0..<batch {
            let from = source + position * width + own.lowerBound
            let out = target + (lengths?.order[position] ?? position) * stride + own.lowerBound
            if position >= activeRows(time, lengths) {
                if !adds { out.update(repeating: 0, count: own.count) }
            } else if adds {
                add(UnsafePointer(out), from, out, own.count)
            } else {
                out.update(from: from, count: own.count)
            }
        }
    }

    /// dA·W of so many rows of gates, written or added; own columns.
    private func inputGradient(
        of gates: UnsafeMutablePointer<Float>, rows: Int, into target: UnsafeMutablePointer<Float>, stride: Int,
        adds: Bool
    ) {
        for first in Swift.stride(from: 0, to: rows, by: Self.inputGradientRows) {
            weights.inputParts.matrixProduct(
                gateOperand(gates + first * gateRowStride, 0..<weights.gates), to: target + first * stride,
                stride: stride, rows: min(Self.inputGradientRows, rows - first), start: .zero, adds: adds,
                scratch: scratch, panels: weights.inputGradientPanels)
        }
    }
}
