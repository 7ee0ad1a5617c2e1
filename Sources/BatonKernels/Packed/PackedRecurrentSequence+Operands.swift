import BatonKernelABI

extension PackedRecurrentSequence {
    /// Rows of an input chain for the panels of the layer.
    func inputOperand(_ base: UnsafePointer<Float>, stride: Int, depth: Int, rows: Int) -> ChainOperand {
        operand(ChainOperand(base: base, rowStride: stride, depth: depth), rows: rows, convertedInput)
    }

    /// Rows of h for the panels of the layer.
    func hiddenOperand(_ base: UnsafePointer<Float>, stride: Int, rows: Int) -> ChainOperand {
        operand(ChainOperand(base: base, rowStride: stride, depth: outputSize), rows: rows, convertedHidden)
    }

    /// The rows themselves, or in the precision of the weights. Every part of the units converts whole rows, so all have the
    /// same.
    private func operand(_ floats: ChainOperand, rows: Int, _ buffer: AlignedBuffer) -> ChainOperand {
        let format = weights.format
        let convert: (RowConversionArguments) -> Void
        switch format {
        case .float32: return floats
        case .bfloat16: convert = table.roundRows
        case .bfloat16Dot: convert = table.roundRowPairs
        case .int8: convert = table.quantizeRows
        case .int8Dot: convert = table.quantizeRowBytes
        }
        let words = format.rowWords(terms: floats.depth)
        let target = buffer.reserve(rows * words + RowConversionArguments.slackWords)
        convert(RowConversionArguments(source: floats, rows: rows, target: target, targetStride: words))
        return ChainOperand(base: UnsafePointer(target), rowStride: words, depth: format.chainLength(floats.depth))
    }
}
