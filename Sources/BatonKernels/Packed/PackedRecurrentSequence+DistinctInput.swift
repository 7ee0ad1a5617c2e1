import BatonChecks
import BatonKernelABI

/// Steps whose input product is that of a few distinct rows: made once for the window.
extension PackedRecurrentSequence {
    /// Steps of a window, in ranges that begin with its first step.
    func forward(
        steps range: Range<Int>, _ distinct: DistinctRows<Float>, _ arguments: RecurrentForward<Float>, training: Bool,
        hook: StepHook
    ) {
        let strides = arguments.inputStrides
        let width = weights.shape.inputSize
        require(
            strides.time % width == 0 && strides.row % width == 0,
            "DistinctRows: rows of the input \(strides.time) and \(strides.row) elements apart, expected multiples of its width \(width)"
        )
        if range.lowerBound == 0 {
            projectInput(
                StridedRows(distinct.rows, stride: width), rows: distinct.count,
                into: distinctProducts.reserve(distinct.count * gateRowStride))
        }
        if !training { reserveRows(batch) }
        for step in range {
            let products = InputProduct(
                base: UnsafePointer(distinctProducts.base), rowStride: gateRowStride,
                numbers: distinct.numbers + strides.offset(time: time(step)) / width,
                numberStride: strides.row / width)
            forwardStep(
                step, arguments, training: training, gateRow: training ? time(step) * batch : 0, held: true,
                products: products, hook: hook)
            hook()
        }
    }
}
