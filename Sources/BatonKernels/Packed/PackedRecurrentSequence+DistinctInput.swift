import BatonKernelABI

/// Steps whose input product is that of a few distinct rows: made once for the window, then copied to the gates.
extension PackedRecurrentSequence {
    /// Steps of a window, in ranges that begin with its first step.
    func forward(
        steps range: Range<Int>, _ distinct: DistinctRows<Float>, _ arguments: RecurrentForward<Float>, training: Bool,
        hook: StepHook
    ) {
        if range.lowerBound == 0 {
            projectInput(
                distinct.rows, stride: weights.shape.inputSize, rows: distinct.count,
                into: distinctProducts.reserve(distinct.count * gateRowStride))
        }
        if !training { reserveRows(batch) }
        for step in range {
            let gateRow = training ? time(step) * batch : 0
            for row in 0..<batch {
                let place = arguments.inputStrides.offset(time: time(step), row: row) / weights.shape.inputSize
                copyProduct(Int(distinct.numbers[place]), to: gates + (gateRow + row) * gateRowStride)
            }
            forwardStep(step, arguments, training: training, gateRow: gateRow, held: true, hook: hook)
            hook()
        }
    }

    private func copyProduct(_ number: Int, to target: UnsafeMutablePointer<Float>) {
        let source = UnsafePointer(distinctProducts.base) + number * gateRowStride
        let count = weights.ownStrips.count * lanes
        for gate in 0..<weights.gates {
            let first = gate * paddedHidden + firstUnit
            (target + first).update(from: source + first, count: count)
        }
    }
}
