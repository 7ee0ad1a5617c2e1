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
                expectEqual(whole, cut, "\(kernels), \(cell), \(shape), reverse \(reverse), cuts \(cuts)")
                #expect(whole.parameterGradients == cut.parameterGradients)
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
            expectEqual(once, thrice, "\(kernels), \(cell)")
            #expect(once.parameterGradients == thrice.parameterGradients)
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
                let name = "\(kernels), \(cell), \(shape), leaf \(number)"
                #expect(alone.output == rows(leaf, of: whole.output, shape.hidden, shape), "output, \(name)")
                #expect(
                    alone.inputGradient == rows(leaf, of: whole.inputGradient, shape.inputSize, shape), "dx, \(name)")
                let states = leaf.lowerBound * shape.hidden..<leaf.upperBound * shape.hidden
                #expect(alone.finalHidden[...] == whole.finalHidden[states], "final h, \(name)")
                #expect(
                    alone.initialHiddenGradient[...] == whole.initialHiddenGradient[states], "dh0, \(name)")
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
                var sums: [Range<Int>: [Kernels.Scalar]] = [:]
                var firstRow = 0
                for rank in 0..<size {
                    let plan = LeafPlan.part(rows: shape.batch, leafCount: leafCount, rank: rank, size: size)
                    var options = LayerRun<Kernels>.Options()
                    options.plan = plan
                    options.rows = firstRow..<firstRow + plan.rowCount
                    firstRow += plan.rowCount
                    let firstLeaf = rank * leafCount / size
                    for (subtree, sum) in zip(
                        plan.subtrees, LayerRun(layer, on: kernels, options).parameterGradients)
                    {
                        sums[subtree.lowerBound + firstLeaf..<subtree.upperBound + firstLeaf] = sum
                    }
                }
                #expect(firstRow == shape.batch)
                #expect(
                    combineSubtrees(0..<leafCount, sums) == whole, "\(kernels), \(cell), \(shape), \(size) processes")
            }
        }
        for shape in Self.shapes { check(kernelsUnderTest[kernels], shape) }
    }

    private func expectEqual<Kernels>(_ a: LayerRun<Kernels>, _ b: LayerRun<Kernels>, _ name: String) {
        #expect(a.output == b.output, "output, \(name)")
        #expect(a.finalHidden == b.finalHidden, "final h, \(name)")
        #expect(a.finalCell == b.finalCell, "final c, \(name)")
        #expect(a.inputGradient == b.inputGradient, "dx, \(name)")
        #expect(a.initialHiddenGradient == b.initialHiddenGradient, "dh0, \(name)")
        #expect(a.initialCellGradient == b.initialCellGradient, "dc0, \(name)")
        #expect(!a.parameterGradients.isEmpty, "gradients add up when repeated, \(name)")
    }

    private func rows<Scalar>(_ leaf: Range<Int>, of values: [Scalar], _ width: Int, _ shape: NamedShape) -> [Scalar] {
        (0..<shape.steps).flatMap { t in
            values[(t * shape.batch + leaf.lowerBound) * width..<(t * shape.batch + leaf.upperBound) * width]
        }
    }

    /// A product with states of zero is left out, forwards and in the weights' gradient.
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
                let isSame = given.everything == leftOut.everything
                #expect(isSame, "\(cell), \(shape), \(leaves) leaves")
            }
        }
    }
}
