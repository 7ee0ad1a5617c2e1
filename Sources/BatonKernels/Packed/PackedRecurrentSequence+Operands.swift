import BatonKernelABI

extension PackedRecurrentSequence {
    /// The gates from a row and a unit on.
    func gateRows(from row: Int, unit: Int) -> GateRows {
        GateRows(base: gates + row * gateRowStride + unit, rowStride: gateRowStride, gateStride: paddedHidden)
    }

    /// Rows of an input chain for the panels of the layer.
    func inputOperand(_ input: StridedRows, depth: Int, rows: Int) -> ChainOperand {
        operand(ChainOperand(base: input.base, rowStride: input.stride, depth: depth), rows: rows, convertedInput)
    }

    /// Rows of h for the panels of the layer.
    func hiddenOperand(_ hidden: StridedRows, rows: Int) -> ChainOperand {
        operand(
            ChainOperand(base: hidden.base, rowStride: hidden.stride, depth: outputSize), rows: rows, convertedHidden)
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
