import BatonKernelABI
import BatonTestSupport
import Testing

@testable import BatonKernels

/// Products with panels in reduced precision.
struct ReducedPanelTests {
    /// Columns of three panels of four vectors, four and three, so that rows alone meet two panels at once and one.
    private let strips = 11
    private let table = KernelSelection.activeTable

    /// Weights (K, columns) and rows (N, K), row by row.
    private func operands(rows: Int, terms: Int) -> (weights: [Float], left: [Float]) {
        var random = SeededRandom(seed: UInt64(rows * 10_000 + terms))
        func floats(_ count: Int) -> [Float] { random.array(count).map { Float($0) } }
        return (floats(terms * strips * table.laneCount), floats(rows * terms))
    }

    /// (N, columns), row by row, as bits.
    private func product(
        _ format: PanelFormat, rows: Int, terms: Int, convert: (RowConversionArguments) -> Void
    ) -> [UInt32] {
        let (lanes, columns) = (table.laneCount, strips * table.laneCount)
        let (weights, left) = operands(rows: rows, terms: terms)
        let widths = PanelPacking.balancedPanels(strips).map { $0 * lanes }
        let packed = AlignedBuffer(count: columns * terms)
        var (target, firstColumn) = (packed.base, 0)
        for width in widths {
            for k in 0..<terms {
                for column in 0..<width {
                    target[column] = weights[k * columns + firstColumn + column]
                }
                target += width
            }
            firstColumn += width
        }
        let inverseScales = AlignedBuffer(count: columns)
        inverseScales.base.update(repeating: 127, count: columns)
        let depth = format.chainLength(terms)
        let panels = AlignedBuffer(count: format.bytes(rows: depth, columns: columns) / 4)
        PanelReduction.reduce(
            packed.base, widths: widths, depth: terms, format: format, inverseScales: inverseScales.base,
            into: panels.base)
        let words = format.rowWords(terms: terms)
        let converted = AlignedBuffer(count: rows * words + RowConversionArguments.slackWords)
        left.withUnsafeBufferPointer { left in
            guard let base = left.baseAddress else { return }
            convert(
                RowConversionArguments(
                    source: ChainOperand(base: base, rowStride: terms, depth: terms), rows: rows,
                    target: converted.base, targetStride: words))
        }
        let result = AlignedBuffer(count: rows * columns)
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(base: converted.base, rowStride: words, depth: depth),
                panels: PackedPanels(base: panels.base, depth: depth, stripCount: strips, format: format),
                target: StripTarget(base: result.base, rowStride: columns, stripStride: lanes), rows: rows,
                columns: columns, start: .zero))
        return (0..<rows * columns).map { result.base[$0].bitPattern }
    }

    @Test(
        .enabled(if: KernelSelection.hasIntegerDotProducts, "the processor or BATON_ISA has no AVX-512 VNNI"),
        arguments: 1...13, [1, 6, 512, 1031])
    func dotProductsOfIntegersHaveTheBitsOfPairs(_ rows: Int, _ terms: Int) {
        let pairs = product(.int8, rows: rows, terms: terms, convert: table.quantizeRows)
        #expect(pairs.contains { $0 != 0 })
        let isSame = product(.int8Dot, rows: rows, terms: terms, convert: table.quantizeRows) == pairs
        #expect(isSame)
    }

    /// One chain of sums in f32 for each element, term after term: products of two bfloat16 are exact.
    @Test(arguments: 1...13, [1, 6, 7, 512, 1031])
    func bfloat16HasTheBitsOfAChainOfRoundedTerms(_ rows: Int, _ terms: Int) {
        let columns = strips * table.laneCount
        let (weights, left) = operands(rows: rows, terms: terms)
        let (roundedWeights, roundedLeft) = (weights.map(nearestBFloat16), left.map(nearestBFloat16))
        let sums = (0..<rows * columns).map { element in
            let (row, column) = element.quotientAndRemainder(dividingBy: columns)
            var sum: Float = 0
            for k in 0..<terms { sum += roundedLeft[row * terms + k] * roundedWeights[k * columns + column] }
            return sum.bitPattern
        }
        let isSame = product(.bfloat16, rows: rows, terms: terms, convert: table.roundRows) == sums
        #expect(isSame)
        if KernelSelection.hasBFloat16DotProducts {
            let isSame = product(.bfloat16Dot, rows: rows, terms: terms, convert: table.roundRowPairs) == sums
            #expect(isSame, "by dot products")
        }
    }

    /// Ties, infinities, NaN, the greatest float, and those that have no room for another bit.
    @Test func roundingOfSpecialValues() {
        let bits: [UInt32] = [
            0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0xBF80_7FFF, 0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000, 0x8000_0000,
            0x0000_8001, 0x7FC0_0000, 0x7F80_0001, 0xFFFF_FFFF, 0x3F80_0000,
        ]
        let source = bits.map { Float(bitPattern: $0) }
        let expected = source.map(nearestBFloat16)
        func converted(_ convert: (RowConversionArguments) -> Void, words: Int) -> [UInt32] {
            let target = AlignedBuffer(count: words + RowConversionArguments.slackWords)
            source.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                convert(
                    RowConversionArguments(
                        source: ChainOperand(base: base, rowStride: 0, depth: source.count), rows: 1,
                        target: target.base, targetStride: words))
            }
            return (0..<words).map { target.base[$0].bitPattern }
        }
        let floats = converted(table.roundRows, words: bits.count)
        for (value, nearest) in zip(floats.map({ Float(bitPattern: $0) }), expected) {
            #expect(value.bitPattern == nearest.bitPattern || value.isNaN && nearest.isNaN)
        }
        let pairs = stride(from: 0, to: floats.count, by: 2).map {
            floats[$0] | ($0 + 1 < floats.count ? floats[$0 + 1] >> 16 : 0)
        }
        #expect(converted(table.roundRowPairs, words: (bits.count + 1) / 2) == pairs)
    }
}
