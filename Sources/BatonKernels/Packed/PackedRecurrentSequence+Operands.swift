import BatonKernelABI

extension PackedRecurrentSequence {
    /// Rows of an input chain for the panels of the layer.
    func inputOperand(_ base: UnsafePointer<Float>, stride: Int, depth: Int, rows: Int) -> ChainOperand {
        operand(ChainOperand(base: base, rowStride: stride, depth: depth), rows: rows, quantizedInput)
    }

    /// Rows of h for the panels of the layer.
    func hiddenOperand(_ base: UnsafePointer<Float>, stride: Int, rows: Int) -> ChainOperand {
        operand(ChainOperand(base: base, rowStride: stride, depth: outputSize), rows: rows, quantizedHidden)
    }

    /// The rows themselves, or as integers. Every part of the units makes integers of whole rows, so all have the same.
    private func operand(_ floats: ChainOperand, rows: Int, _ buffer: AlignedBuffer) -> ChainOperand {
        guard weights.format.isInteger else { return floats }
        let words = QuantizedRow.words(terms: floats.depth)
        let target = buffer.reserve(rows * words + QuantizedRow.slackWords)
        table.quantizeRows(
            QuantizeRowsArguments(source: floats, rows: rows, target: target, targetStride: words))
        return ChainOperand(
            base: UnsafePointer(target), rowStride: words, depth: weights.format.chainLength(floats.depth))
    }
}
