import BatonKernels
import BatonTestSupport
import Testing

/// Rows of unequal lengths: the equations, and that a row is the same alone, in any order, among any others.
@Suite struct SequenceLengthsTests {
    static let shapes = [
        NamedShape("uniform", steps: 6, batch: 16, inputSize: 32, hidden: 32),
        NamedShape("many rows", steps: 5, batch: 40, inputSize: 21, hidden: 37),
        NamedShape("few rows", steps: 9, batch: 3, inputSize: 50, hidden: 20),
        NamedShape("one row", steps: 4, batch: 1, inputSize: 24, hidden: 24),
        NamedShape("one step", steps: 1, batch: 5, inputSize: 3, hidden: 5),
        NamedShape("long", steps: 60, batch: 14, inputSize: 6, hidden: 9),
    ]
    static let cases = kernelsUnderTest.indices.flatMap { kernels in RecurrentKind.allCases.map { (kernels, $0) } }

    /// Random lengths with a row of none and a row of all steps, if there are two.
    static func lengths(_ shape: NamedShape, seed: UInt64 = 5) -> [Int] {
        var random = SeededRandom(seed: seed)
        var lengths = random.array(shape.batch).map { min(shape.steps, Int(($0 + 1) / 2 * Double(shape.steps + 1))) }
        lengths[shape.batch / 2] = 0
        if shape.batch > 1 { lengths[shape.batch - 1] = shape.steps }
        return lengths
    }

    @Test func rowsStandByDescendingLength() {
        let lengths = SequenceLengths([2, 0, 4, 2, 3], steps: 4)
        #expect(lengths.order == [2, 4, 0, 3, 1])
        #expect(lengths.positions == [2, 4, 0, 3, 1])
        #expect(lengths.activeRows == [4, 4, 2, 1])
        #expect(lengths.rowsBefore == [0, 4, 8, 10, 11])
        #expect(lengths.total == 11 && !lengths.isFull)
        #expect(SequenceLengths([3, 3], steps: 3).isFull)
        #expect(SequenceLengths([], steps: 3).total == 0)
    }

    @Test(arguments: cases)
    func `outputs, states and all gradients match the oracle`(kernels: Int, cell: RecurrentKind) {
        for shape in Self.shapes {
            for reverse in [false, true] {
                for twoChains in [false, true] {
                    for lengths in [Self.lengths(shape), Array(repeating: shape.steps - 1, count: shape.batch)] {
                        let layer = (cell, shape, twoChains, reverse)
                        check(kernelsUnderTest[kernels], layer, lengths, givesStates: reverse == twoChains)
                    }
                }
            }
        }
    }

    private func check<Kernels: KernelsUnderTest>(
        _ kernels: Kernels, _ layer: (RecurrentKind, NamedShape, Bool, Bool), _ lengths: [Int], givesStates: Bool
    ) {
        let (cell, shape, twoChains, reverse) = layer
        let layer = LayerCase<Kernels.Scalar>(cell, shape, twoChains: twoChains, reverse: reverse)
        var options = LayerRun<Kernels>.Options()
        options.givesStates = givesStates
        options.lengths = lengths
        let name = "\(kernels), \(cell), \(shape), reverse \(reverse), \(layer.chains.count) chains, \(lengths)"
        let run = LayerRun(layer, on: kernels, options)
        for violation in run.violations(name) { Issue.record("\(violation)") }
        options.training = false
        let inference = LayerRun(layer, on: kernels, options)
        for (what, own, trained) in [
            ("forward", inference.output, run.output), ("final h", inference.finalHidden, run.finalHidden),
            ("final c", inference.finalCell, run.finalCell),
        ] {
            let isSame = bits(own) == bits(trained)
            #expect(isSame, "\(name): inference and training \(what) differ")
        }
        #expect(!run.touchedPadding, "\(name) wrote between the rows")
        #expect(run.hookCalls == (shape.steps, shape.steps), "\(name): the hook is called once per step")
        options.training = true
        options.cuts = [1, shape.steps / 2, shape.steps - 1]
        let isSameCut = LayerRun(layer, on: kernels, options).everything == run.everything
        #expect(isSameCut, "\(name): a window cut into chunks")
        let isSameAgain = LayerRun(layer, on: kernels, options, times: 2).everything == run.everything
        #expect(isSameAgain, "\(name): used twice")
        options.addsToInputGradient = true
        let added = LayerRun(layer, on: kernels, options).inputGradient
        let isSameSum = bits(added) == bits(run.inputGradient.map { $0 + LayerRun<Kernels>.offset })
        #expect(isSameSum, "\(name): dx added to what is there")
    }

    @Test(arguments: cases)
    func `lengths of all steps give the bits of no lengths`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape) {
            let layer = LayerCase<Kernels.Scalar>(cell, shape)
            var options = LayerRun<Kernels>.Options()
            let plain = LayerRun(layer, on: kernels, options)
            options.lengths = Array(repeating: shape.steps, count: shape.batch)
            let isSame = LayerRun(layer, on: kernels, options).everything == plain.everything
            #expect(isSame, "\(kernels), \(cell), \(shape)")
        }
        for shape in Self.shapes { check(kernelsUnderTest[kernels], shape) }
    }

    /// On the packed kernels every row is independent of all others, so a row must have the bits of a window of its own
    /// length without lengths; on OpenBLAS a leaf must be independent of the other leaves.
    @Test(arguments: cases)
    func `rows have the bits they have alone`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape, reverse: Bool) {
            let layer = LayerCase<Kernels.Scalar>(cell, shape, reverse: reverse)
            var options = LayerRun<Kernels>.Options()
            let lengths = Self.lengths(shape)
            options.lengths = lengths
            let whole = LayerRun(layer, on: kernels, options)
            let groups =
                kernels.isPacked ? (0..<shape.batch).map { $0..<$0 + 1 } : LeafPlan.whole(rows: shape.batch).leaves
            for group in groups {
                options.rows = group
                options.plan = LeafPlan(leaves: [0..<group.count], subtrees: [0..<1])
                let alone = LayerRun(layer, on: kernels, options)
                let name = "\(kernels), \(cell), \(shape), reverse \(reverse), rows \(group)"
                expectSame(alone.results, whole.rows(group, steps: shape.steps), name)
                guard kernels.isPacked else { continue }
                let steps = lengths[group.lowerBound]
                let exact = LayerRun(
                    LayerCase<Kernels.Scalar>(layer, firstSteps: steps), on: kernels,
                    LayerRun<Kernels>.Options(rows: group, plan: options.plan))
                expectSame(exact.results, whole.rows(group, steps: steps), "\(name), window of \(steps)")
            }
        }
        for shape in Self.shapes.prefix(4) {
            for reverse in [false, true] { check(kernelsUnderTest[kernels], shape, reverse: reverse) }
        }
    }

    @Test(arguments: cases)
    func `subtree gradients of several processes add up to the bits of one`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, _ shape: NamedShape) {
            let layer = LayerCase<Kernels.Scalar>(cell, shape, reverse: true)
            let leafCount = LeafPlan.leafCount(rows: shape.batch)
            var options = LayerRun<Kernels>.Options()
            options.lengths = Self.lengths(shape)
            let whole = LayerRun(layer, on: kernels, options).parameterGradients[0]
            for size in [2, 3, 4] where size <= leafCount {
                let sum = LayerRun.combinedGradient(of: layer, processes: size, on: kernels, options)
                let isSame = bits(sum) == bits(whole)
                #expect(isSame, "\(kernels), \(cell), \(shape), \(size) processes")
            }
        }
        for shape in Self.shapes.prefix(3) { check(kernelsUnderTest[kernels], shape) }
    }

    @Test(arguments: cases)
    func `rows of no steps hand states through and have no gradients`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels, reverse: Bool) {
            let shape = NamedShape("no steps", steps: 3, batch: 3, inputSize: 4, hidden: 18)
            let layer = LayerCase<Kernels.Scalar>(cell, shape, reverse: reverse)
            var options = LayerRun<Kernels>.Options()
            options.lengths = [0, 0, 0]
            let run = LayerRun(layer, on: kernels, options)
            #expect(run.output.allSatisfy { $0 == 0 } && run.inputGradient.allSatisfy { $0 == 0 })
            #expect(run.finalHidden == layer.initialHidden.map { Kernels.Scalar($0) })
            #expect(run.initialHiddenGradient == layer.finalHiddenGradient.map { Kernels.Scalar($0) })
            if cell == .lstm {
                #expect(run.finalCell == layer.initialCell.map { Kernels.Scalar($0) })
                #expect(run.initialCellGradient == layer.finalCellGradient.map { Kernels.Scalar($0) })
            }
            #expect(run.parameterGradients.count == 1)
            #expect(run.parameterGradients.joined().allSatisfy { $0 == 0 })
        }
        for reverse in [false, true] { check(kernelsUnderTest[kernels], reverse: reverse) }
    }
}
