import BatonKernels
import BatonTestSupport
import Testing

/// The rules that make results independent of layout: same bits for any cut of the window, any batch mates, any
/// process that holds a leaf.
@Suite struct RecurrentSameBitsTests {
    static let shapes = [
        NamedShape("uniform", steps: 6, batch: 16, inputSize: 32, hidden: 32),
        NamedShape("tails", steps: 5, batch: 11, inputSize: 21, hidden: 37),
        NamedShape("few rows", steps: 9, batch: 3, inputSize: 50, hidden: 20),
        NamedShape("one row", steps: 4, batch: 1, inputSize: 24, hidden: 24),
    ]
    static let cases = kernelsUnderTest.indices.flatMap { kernels in RecurrentKind.allCases.map { (kernels, $0) } }

    @Test(arguments: cases)
    func `a window cut into chunks gives the bits of one go`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape, reverse: Bool) {
            let layer = LayerCase<Kernels.Scalar>(cell, shape, twoChains: true, reverse: reverse)
            let whole = LayerRun(layer, on: kernels)
            for cuts in [[1, 4], [2], Array(1..<shape.steps)] {
                var options = LayerRun<Kernels>.Options()
                options.cuts = cuts
                let cut = LayerRun(layer, on: kernels, options)
                expectSame(
                    cut.results, whole.results, "\(kernels), \(cell), \(shape), reverse \(reverse), cuts \(cuts)")
            }
        }
        for shape in Self.shapes {
            for reverse in [false, true] { check(kernelsUnderTest[kernels], shape, reverse: reverse) }
        }
    }

    @Test(arguments: cases)
    func `a sequence used again forgets the pass before`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let layer = LayerCase<Kernels.Scalar>(cell, Self.shapes[1])
            let once = LayerRun(layer, on: kernels)
            let thrice = LayerRun(layer, on: kernels, times: 3)
            expectSame(thrice.results, once.results, "\(kernels), \(cell)")
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: cases)
    func `the rows of a leaf alone give the bits they give among the others`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape) {
            let layer = LayerCase<Kernels.Scalar>(cell, shape)
            let whole = LayerRun(layer, on: kernels)
            for (number, leaf) in LeafPlan.whole(rows: shape.batch).leaves.enumerated() {
                var options = LayerRun<Kernels>.Options()
                options.rows = leaf
                options.plan = LeafPlan(leaves: [0..<leaf.count], subtrees: [0..<1])
                let alone = LayerRun(layer, on: kernels, options)
                expectSame(
                    alone.results, whole.rows(leaf, steps: shape.steps),
                    "\(kernels), \(cell), \(shape), leaf \(number)")
            }
        }
        for shape in Self.shapes { check(kernelsUnderTest[kernels], shape) }
    }

    @Test(arguments: cases)
    func `subtree gradients of one to eight processes add up to the bits of one`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape) {
            let layer = LayerCase<Kernels.Scalar>(cell, shape)
            let leafCount = LeafPlan.leafCount(rows: shape.batch)
            let whole = LayerRun(layer, on: kernels).parameterGradients[0]
            for size in [1, 2, 3, 4, 8] where size <= leafCount {
                let sum = LayerRun.combinedGradient(of: layer, processes: size, on: kernels)
                let isSame = bits(sum) == bits(whole)
                #expect(isSame, "\(kernels), \(cell), \(shape), \(size) processes")
            }
        }
        for shape in Self.shapes { check(kernelsUnderTest[kernels], shape) }
    }

    /// A product with states of zero is left out, forwards and in the weights' gradient. By value: products with zero are
    /// zeros of either sign, and −0 becomes +0 where +0 is added but stays where nothing is.
    @Test(arguments: RecurrentKind.allCases)
    func `states left out have the bits of zeros`(cell: RecurrentKind) {
        for shape in Self.shapes {
            for leaves in [1, 2] where shape.batch % leaves == 0 {
                var layer = LayerCase<Float>(cell, shape)
                layer.initialHidden = layer.initialHidden.map { _ in 0 }
                layer.initialCell = layer.initialCell.map { _ in 0 }
                layer.finalHiddenGradient = layer.finalHiddenGradient.map { _ in 0 }
                layer.finalCellGradient = layer.finalCellGradient.map { _ in 0 }
                var options = LayerRun<BackendKernels<Float>>.Options()
                let rows = shape.batch / leaves
                options.plan = LeafPlan(
                    leaves: (0..<leaves).map { $0 * rows..<($0 + 1) * rows }, subtrees: [0..<leaves])
                let given = LayerRun(layer, on: BackendKernels<Float>(backend: .packed), options)
                options.givesStates = false
                let leftOut = LayerRun(layer, on: BackendKernels<Float>(backend: .packed), options)
                let isSame = given.values == leftOut.values
                #expect(isSame, "\(cell), \(shape), \(leaves) leaves")
            }
        }
    }
}
