import BatonKernelABI
import BatonTestSupport
import Testing

@testable import BatonKernels

/// Products with panels of integers: by dot products of AVX-512 VNNI and without, bit for bit.
@Suite(.enabled(if: KernelSelection.hasDotProducts, "the processor or BATON_ISA has no AVX-512 VNNI"))
struct IntegerPanelTests {
    /// Columns of three panels of four vectors, four and three, so that rows alone meet two panels at once and one.
    private let strips = 11

    private func product(_ format: PanelFormat, rows: Int, terms: Int) -> [UInt32] {
        let table = KernelSelection.activeTable
        let (lanes, columns) = (table.laneCount, strips * table.laneCount)
        var random = SeededRandom(seed: UInt64(rows * 10_000 + terms))
        func floats(_ count: Int) -> AlignedBuffer {
            let buffer = AlignedBuffer(count: count)
            for (index, value) in random.array(count).enumerated() { buffer.base[index] = Float(value) }
            return buffer
        }
        let (weights, left) = (floats(columns * terms), floats(rows * terms))
        let inverseScales = AlignedBuffer(count: columns)
        inverseScales.base.update(repeating: 127, count: columns)
        let depth = format.chainLength(terms)
        let panels = AlignedBuffer(count: format.bytes(rows: depth, columns: columns) / 4)
        PanelReduction.reduce(
            weights.base, widths: PanelPacking.balancedPanels(strips).map { $0 * lanes }, depth: terms, format: format,
            inverseScales: inverseScales.base, into: panels.base)
        let words = QuantizedRow.words(terms: terms)
        let quantized = AlignedBuffer(count: rows * words + QuantizedRow.slackWords)
        table.quantizeRows(
            QuantizeRowsArguments(
                source: ChainOperand(base: left.base, rowStride: terms, depth: terms), rows: rows,
                target: quantized.base, targetStride: words))
        let result = AlignedBuffer(count: rows * columns)
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(base: quantized.base, rowStride: words, depth: depth),
                panels: PackedPanels(base: panels.base, depth: depth, stripCount: strips, format: format),
                target: StripTarget(base: result.base, rowStride: columns, stripStride: lanes), rows: rows,
                columns: columns, start: .zero))
        return (0..<rows * columns).map { result.base[$0].bitPattern }
    }

    @Test(arguments: 1...13, [1, 6, 512, 1031])
    func dotProductsHaveTheBitsOfPairs(_ rows: Int, _ terms: Int) {
        let pairs = product(.int8, rows: rows, terms: terms)
        #expect(pairs.contains { $0 != 0 })
        #expect(product(.int8Dot, rows: rows, terms: terms) == pairs)
    }
}
