import BatonKernels
import BatonTestSupport
import Testing

/// Arrays (N, T, width) give the bits of (T, N, width), read and written where they stand.
@Suite struct BatchMajorTests {
    private static func check<Kernels: KernelsUnderTest>(
        _ kernels: Kernels, _ layer: LayerCase<Kernels.Scalar>,
        _ variations: [(inout LayerRun<Kernels>.Options) -> Void]
    ) {
        for (number, vary) in variations.enumerated() {
            var options = LayerRun<Kernels>.Options()
            vary(&options)
            let timeMajor = LayerRun(layer, on: kernels, options)
            options.batchMajor = true
            let batchMajor = LayerRun(layer, on: kernels, options, times: 2)
            let name = "\(kernels), \(layer.cell), \(layer.shape), reverse \(layer.reverse), variation \(number)"
            let isSame = batchMajor.everything == timeMajor.everything
            #expect(isSame, "\(name)")
            #expect(!batchMajor.touchedPadding, "\(name) wrote between the rows")
        }
    }

    @Test(arguments: RecurrentSameBitsTests.cases)
    func `all results have the same bits`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape, reverse: Bool) {
            let lengths = (0..<shape.batch).map { ($0 * 5 + 2) % (shape.steps + 1) }
            Self.check(
                kernels, LayerCase<Kernels.Scalar>(cell, shape, reverse: reverse),
                [
                    { _ in },
                    { $0.training = false },
                    { $0.cuts = [1, 3] },
                    { $0.addsToInputGradient = true },
                    { $0.chunk = 2 },
                    { $0.lengths = lengths },
                    { ($0.lengths, $0.cuts, $0.addsToInputGradient) = (lengths, [2], true) },
                    { ($0.lengths, $0.training) = (lengths, false) },
                ])
        }
        for shape in RecurrentSameBitsTests.shapes {
            for reverse in [false, true] { check(kernelsUnderTest[kernels], shape, reverse: reverse) }
        }
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `projected layers and layers of two input chains too`(kernels: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, projection: Int?) {
            let shape = NamedShape("p", steps: 7, batch: 6, inputSize: 10, hidden: 21)
            Self.check(
                kernels,
                LayerCase<Kernels.Scalar>(.lstm, shape, twoChains: true, reverse: true, projection: projection),
                [{ _ in }, { $0.training = false }, { $0.lengths = [7, 0, 3, 1, 7, 2] }])
        }
        for projection in [nil, 13] { check(kernelsUnderTest[kernels], projection: projection) }
    }
}
