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

    /// (N, columns), row by row, as bits; of random operands, or given ones.
    private func product(
        _ format: PanelFormat, rows: Int, terms: Int, of given: (weights: [Float], left: [Float])? = nil,
        convert: (RowConversionArguments) -> Void
    ) -> [UInt32] {
        let (lanes, columns) = (table.laneCount, strips * table.laneCount)
        let (weights, left) = given ?? operands(rows: rows, terms: terms)
        let widths = PanelDivision.balancedPanels(strips).map { $0 * lanes }
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
        PanelConversion.convert(
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
        let scratch = AlignedBuffer(count: table.scratchCount)
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(base: converted.base, rowStride: words, depth: depth),
                panels: PackedPanels(base: panels.base, depth: depth, stripCount: strips, format: format),
                target: StripTarget(base: result.base, rowStride: columns, stripStride: lanes), rows: rows,
                columns: columns, start: .zero, scratch: scratch.base))
        return withExtendedLifetime((packed, inverseScales, panels, converted, scratch)) {
            (0..<rows * columns).map { result.base[$0].bitPattern }
        }
    }

    @Test(
        .enabled(if: KernelSelection.hasIntegerDotProducts, "the processor or BATON_ISA has no AVX-512 VNNI"),
        arguments: 1...13, [1, 6, 512, 1031])
    func dotProductsOfIntegersHaveTheBitsOfPairs(_ rows: Int, _ terms: Int) {
        let pairs = product(.int8, rows: rows, terms: terms, convert: table.quantizeRows)
        #expect(pairs.contains { $0 != 0 })
        let isSame = product(.int8Dot, rows: rows, terms: terms, convert: table.quantizeRowBytes) == pairs
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
    }

    @Test(
        .enabled(if: KernelSelection.hasBFloat16DotProducts, "the processor or BATON_ISA has no AVX-512 BF16"),
        arguments: 1...13, [1, 6, 7, 512, 1031])
    func dotProductsOfBFloat16HaveTheBitsOfChains(_ rows: Int, _ terms: Int) {
        let chains = product(.bfloat16, rows: rows, terms: terms, convert: table.roundRows)
        #expect(chains.contains { $0 != 0 })
        let isSame = product(.bfloat16Dot, rows: rows, terms: terms, convert: table.roundRowPairs) == chains
        #expect(isSame)
    }

    /// A pair of terms x·w near the smallest normal number, 2⁻¹²⁶, with its sum by chains and by dot products.
    struct SmallPair: Sendable {
        var left: [Float]
        var weights: [Float]
        var chain: Float
        var dotProduct: Float
    }

    /// Elements and sums below 2⁻¹²⁶ count as zero by dot products; products that only pass there do not.
    private static let smallPairs = [
        SmallPair(left: [0x1p-70, 0], weights: [0x1p-70, 0], chain: 0x1p-140, dotProduct: 0),
        SmallPair(left: [0x1p-127, 0], weights: [0x1p100, 0], chain: 0x1p-27, dotProduct: 0),
        SmallPair(
            left: [0x1p-60, 0x1p-60], weights: [0x1p-67, 0x1p-66], chain: 0x1.8p-126, dotProduct: 0x1p-126),
        SmallPair(
            left: [0x1p-60, 0x1p-60], weights: [0x1p-60, 0x1p-70], chain: 0x1.004p-120, dotProduct: 0x1.004p-120),
    ]

    private func products(_ pair: SmallPair, _ format: PanelFormat, rows: Int) -> Set<UInt32> {
        let columns = strips * table.laneCount
        let weights = pair.weights.flatMap { Array(repeating: $0, count: columns) }
        let left = (0..<rows).flatMap { _ in pair.left }
        return Set(
            product(
                format, rows: rows, terms: 2, of: (weights, left),
                convert: format == .bfloat16 ? table.roundRows : table.roundRowPairs))
    }

    @Test(arguments: [1, 2, 7])
    func chainsOfBFloat16KeepSmallValues(_ rows: Int) {
        for pair in Self.smallPairs {
            #expect(products(pair, .bfloat16, rows: rows) == [pair.chain.bitPattern], "\(pair)")
        }
    }

    @Test(
        .enabled(if: KernelSelection.hasBFloat16DotProducts, "the processor or BATON_ISA has no AVX-512 BF16"),
        arguments: [1, 2, 7])
    func dotProductsOfBFloat16TakeSmallValuesForZero(_ rows: Int) {
        for pair in Self.smallPairs {
            #expect(products(pair, .bfloat16Dot, rows: rows) == [pair.dotProduct.bitPattern], "\(pair)")
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
