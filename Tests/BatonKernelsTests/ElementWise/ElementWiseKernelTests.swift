import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// The lane kernels of every instruction set this machine has, against the plain f64 loops.
@Suite struct ElementWiseKernelTests {
    static let counts = [0, 1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 100]

    private func values(_ count: Int, seed: UInt64, scale: Double = 2) -> [Float] {
        var random = SeededRandom(seed: seed)
        return random.array(count, scale: scale).map { Float($0) }
    }

    /// Runs a kernel on a guarded copy of `start` and the f64 loop on the same numbers.
    private func compare(
        _ start: [Float], depth: Int = 4, sourceLocation: SourceLocation = #_sourceLocation,
        _ kernel: (UnsafeMutablePointer<Float>) -> Void, _ reference: (UnsafeMutablePointer<Double>) -> Void
    ) {
        var narrow = start + [Float](repeating: 77, count: 20)
        var wide = start.map { Double($0) } + [Double](repeating: 77, count: 20)
        narrow.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { kernel(base) } }
        wide.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { reference(base) } }
        #expect(narrow.suffix(20).allSatisfy { $0 == 77 }, sourceLocation: sourceLocation)
        let tolerance = Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: depth)
        let problem = Tolerance.violation("result", narrow.map { Double($0) }, wide, tolerance: tolerance)
        #expect(problem == nil, sourceLocation: sourceLocation)
    }

    @Test(arguments: InstructionSet.available, counts) func arithmeticMatches(_ set: InstructionSet, _ count: Int) {
        let table = set.table.elementWise
        let (x, y, z) = (values(count, seed: 1), values(count, seed: 2), values(count, seed: 3))
        let (wx, wy) = (x.map { Double($0) }, y.map { Double($0) })
        compare(z, { table.add(x, y, $0, count) }, { Double.addElements(wx, wy, into: $0, count: count) })
        for adds in [false, true] {
            compare(
                z, { table.multiply(x, y, $0, count, adds) },
                { Double.multiply(wx, wy, into: $0, count: count, adds: adds) })
            compare(
                z, { table.scale(x, 0.75, $0, count, adds) },
                { Double.scale(wx, by: 0.75, into: $0, count: count, adds: adds) })
            compare(
                z, { table.tanhGradient(x, y, $0, count, adds) },
                { Double.activationGradient(.tanh, value: wx, gradient: wy, into: $0, count: count, adds: adds) })
            compare(
                z, { table.reluGradient(x, y, $0, count, adds) },
                { Double.activationGradient(.relu, value: wx, gradient: wy, into: $0, count: count, adds: adds) })
            compare(
                z, { table.sigmoidGradient(x, y, $0, count, adds) },
                { Double.activationGradient(.sigmoid, value: wx, gradient: wy, into: $0, count: count, adds: adds) })
        }
        compare(z, { table.relu(x, $0, count) }, { Double.activate(.relu, wx, into: $0, count: count) })
    }

    @Test(arguments: InstructionSet.available, [1, 17, 63, 64, 65, 128, 130, 200])
    func dropoutMasksAreTheReferences(_ set: InstructionSet, _ width: Int) {
        for rowsFirst in [false, true] {
            let mask = DropoutMask(
                key: SIMD2(11, 12), step: 5, firstTime: 3, firstRow: 1000, times: 2, rows: 3, width: width,
                rowsFirst: rowsFirst, threshold: 0x6000_0000, scale: 1.6)
            let (x, z) = (values(6 * width, seed: 1), values(6 * width, seed: 2))
            let wx = x.map { Double($0) }
            for adds in [false, true] {
                compare(
                    z, { set.table.elementWise.dropout(mask, x, $0, adds) },
                    { Double.dropout(mask, wx, into: $0, adds: adds) })
            }
        }
    }

    @Test(arguments: InstructionSet.available, [1, 5, 16, 65, 1000, 50_000])
    func softmaxTermsMatch(_ set: InstructionSet, _ count: Int) {
        let x = values(count, seed: 1, scale: 8)
        let wx = x.map { Double($0) }
        var sums = (0.0, 0.0)
        compare(
            [Float](repeating: 0, count: count),
            { sums.0 = set.table.elementWise.softmaxTerms(x, count, $0).sum },
            { sums.1 = Double.softmaxTerms(wx, count: count, exponentials: $0).sum })
        // A lane is a chain of at most 1024 / lanes positive terms, each sum off by at most ε/2, a term by 4·ε; f64 adds them.
        let terms = (min(count, 1024) + set.table.laneCount - 1) / set.table.laneCount
        let tolerance = (Double(terms) / 2 + 4) * Double(Float.ulpOfOne)
        #expect(abs(sums.0 - sums.1) <= tolerance * sums.1)
        #expect(set.table.elementWise.softmaxTerms(x, count, nil).maximum == x.max())
        let float = set.table.elementWise.softmaxTerms([1, .nan, 2, .nan, 0], 5, nil)
        let double = Double.softmaxTerms([1, .nan, 2, .nan, 0], count: 5, exponentials: nil)
        #expect(float.maximum == 2 && float.sum.isNaN && double.maximum == 2 && double.sum.isNaN)
    }

    @Test(arguments: counts) func sumsOfSquaresHaveTheSameBitsEverywhere(_ count: Int) {
        let x = values(count, seed: 1)
        let expected = Double.sumOfSquares(x.map { Double($0) }, count: count)
        for set in InstructionSet.available { #expect(set.table.elementWise.sumOfSquares(x, count) == expected) }
    }
}
