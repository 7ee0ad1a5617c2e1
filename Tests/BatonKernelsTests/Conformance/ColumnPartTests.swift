import BatonKernelABI
import BatonTestSupport
import Testing

@testable import BatonKernels

/// Columns that whole vectors leave over, on vectors half as wide: the bits of one width, in all passes.
@Suite struct ColumnPartTests {
    /// Of AVX-512 those of AVX2; other instruction sets have none.
    private static let narrow = KernelSelection.narrowKernels

    /// The packed kernels with or without narrow vectors.
    private struct Kernels: KernelsUnderTest {
        let narrow: LaneKernels?
        var description: String { narrow == nil ? "one width" : "two widths" }
        var isPacked: Bool { true }

        func recurrentWeights(_ shape: RecurrentShape) -> any RecurrentWeights<Float> {
            PackedRecurrentWeights(shape, kernels: KernelSelection.activeKernels, narrow: narrow)
        }
        func linear(units: Int, width: Int) -> any LinearKernel<Float> {
            PackedLinearKernel(units: units, width: width, kernels: KernelSelection.activeKernels, narrow: narrow)
        }
    }

    /// Sizes at most half a vector above whole ones, of any instruction set, and in between.
    private static let shapes = [
        NamedShape("less than half a vector", steps: 4, batch: 5, inputSize: 3, hidden: 2),
        NamedShape("one and a half", steps: 3, batch: 14, inputSize: 20, hidden: 24),
        NamedShape("input alone", steps: 3, batch: 7, inputSize: 68, hidden: 64),
        NamedShape("many", steps: 3, batch: 13, inputSize: 72, hidden: 200),
        NamedShape("one row", steps: 5, batch: 1, inputSize: 40, hidden: 66),
    ]

    @Test(.enabled(if: narrow != nil, "no set is narrower"), arguments: RecurrentKind.allCases)
    func `two widths of vectors have the bits of one`(cell: RecurrentKind) {
        for shape in Self.shapes {
            for (reverse, projection) in [(false, nil), (true, nil), (false, 36), (true, 5)]
            where cell == .lstm || projection == nil {
                let layer = LayerCase<Float>(cell, shape, twoChains: reverse, reverse: reverse, projection: projection)
                var options = LayerRun<Kernels>.Options()
                options.givesStates = !reverse
                options.cuts = [2]
                let one = LayerRun(layer, on: Kernels(narrow: nil), options)
                let two = LayerRun(layer, on: Kernels(narrow: Self.narrow), options)
                let isSame = one.everything == two.everything
                #expect(isSame, "\(cell), \(shape), reverse \(reverse), projection \(projection ?? 0)")
            }
        }
    }

    @Test(.enabled(if: narrow != nil, "no set is narrower"), arguments: [1, 3, 4, 8, 20, 36, 40, 65, 72])
    func `a fully connected layer has the bits of one width`(size: Int) {
        let (rows, width) = (9, 105 - size)
        var random = SeededRandom(seed: UInt64(size))
        func values(_ count: Int) -> [Float] { random.array(count).map { Float($0) } }
        let (weight, bias) = (Memory(values(size * width)), Memory(values(size)))
        let (input, gradient) = (Memory(values(rows * width)), Memory(values(rows * size)))
        func run(_ narrow: LaneKernels?) -> [[UInt64]] {
            let kernel = Kernels(narrow: narrow).linear(units: size, width: width)
            kernel.update(
                weight: UnsafePointer(weight.pointer), bias: UnsafePointer(bias.pointer), training: true)
            let output = Memory([Float](repeating: .nan, count: rows * size))
            let inputGradient = Memory([Float](repeating: .nan, count: rows * width))
            let leaves = LeafPlan.whole(rows: rows)
            kernel.forward(
                steps: 1, batch: rows, leaves: leaves, input: UnsafePointer(input.pointer),
                inputStrides: .timeMajor(batch: rows, width: width), output: output.pointer,
                outputStrides: .timeMajor(batch: rows, width: size))
            kernel.backwardData(
                steps: 1, batch: rows, leaves: leaves, outputGradient: UnsafePointer(gradient.pointer),
                outputGradientStrides: .timeMajor(batch: rows, width: size), inputGradient: inputGradient.pointer,
                inputGradientStrides: .timeMajor(batch: rows, width: width), adds: false)
            return [bits(output.values), bits(inputGradient.values)]
        }
        let isSame = run(nil) == run(Self.narrow)
        #expect(isSame)
    }

    @Test(arguments: [1, 4])
    func `the parts are all columns, side by side`(gates: Int) throws {
        let wide = KernelSelection.activeKernels
        for width in 1...300 {
            let parts = ColumnPart.parts(of: 32..<32 + width, gates: gates, wide: wide, narrow: Self.narrow)
            #expect(parts.flatMap(\.columns) == Array(32..<32 + width))
            #expect(try #require(parts.first).paddedBefore == 0)
            for (part, next) in zip(parts, parts.dropFirst()) {
                #expect(part.columns.count % part.lanes == 0 && next.paddedBefore == part.columns.count)
            }
            let whole = ColumnPart.parts(of: 32..<32 + width, gates: gates, wide: wide, narrow: nil)
            #expect(parts.paddedCount <= whole.paddedCount && whole.count == 1)
        }
        #expect(ColumnPart.parts(of: 5..<5, gates: gates, wide: wide, narrow: Self.narrow).isEmpty)
    }
}
