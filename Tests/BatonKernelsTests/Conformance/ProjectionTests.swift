import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// LSTMs with projected h, with limited c, and with both, on every backend against the f64 oracle.
@Suite struct ProjectionTests {
    /// P below, at and above H and the lanes' widths.
    static let shapes: [(shape: NamedShape, projection: Int)] = [
        (NamedShape("uniform", steps: 8, batch: 8, inputSize: 32, hidden: 32), 16),
        (NamedShape("all ones", steps: 1, batch: 1, inputSize: 1, hidden: 1), 1),
        (NamedShape("wider than H", steps: 5, batch: 3, inputSize: 3, hidden: 5), 11),
        (NamedShape("tails", steps: 4, batch: 7, inputSize: 31, hidden: 33), 17),
        (NamedShape("row tail", steps: 3, batch: 33, inputSize: 24, hidden: 40), 70),
        (NamedShape("narrow", steps: 6, batch: 14, inputSize: 9, hidden: 100), 3),
    ]
    static let clip = StateClip(lower: -0.15, upper: 0.25)
    static let cases = kernelsUnderTest.indices.flatMap { kernels in shapes.indices.map { (kernels, $0) } }

    @Test(arguments: cases)
    func `projected and clipped layers match the oracle`(kernels: Int, shape: Int) {
        for clip in [nil, Self.clip] {
            for reverse in [false, true] {
                for twoChains in [false, true] {
                    check(kernelsUnderTest[kernels], Self.shapes[shape], clip, reverse: reverse, twoChains: twoChains)
                }
            }
        }
    }

    private func check<Kernels: KernelsUnderTest>(
        _ kernels: Kernels, _ shape: (shape: NamedShape, projection: Int), _ clip: StateClip?, reverse: Bool,
        twoChains: Bool
    ) {
        for projection in [shape.projection, nil] {
            for lengths in [nil, SequenceLengthsTests.lengths(shape.shape)] {
                let layer = LayerCase<Kernels.Scalar>(
                    .lstm, shape.shape, twoChains: twoChains, reverse: reverse, projection: projection,
                    stateClip: clip)
                var options = LayerRun<Kernels>.Options()
                options.givesStates = reverse == twoChains
                options.lengths = lengths
                let name =
                    "\(kernels), \(shape), P \(projection ?? 0), clip \(clip != nil), reverse \(reverse), "
                    + "lengths \(lengths ?? [])"
                let run = LayerRun(layer, on: kernels, options)
                for violation in run.violations(name) { Issue.record("\(violation)") }
                #expect(!run.touchedPadding, "\(name) wrote between the rows")
                if let clip {
                    let limits = Kernels.Scalar(clip.lower)...Kernels.Scalar(clip.upper)
                    // Rows of no steps hand their states through.
                    let isWithin = run.finalCell.enumerated().allSatisfy {
                        lengths?[$0 / shape.shape.hidden] == 0 || limits.contains($1)
                    }
                    #expect(isWithin, "\(name): c outside its limits")
                }
                options.cuts = [1, shape.shape.steps - 1]
                let isSame = LayerRun(layer, on: kernels, options).everything == run.everything
                #expect(isSame, "\(name): cut")
                options.training = false
                let inference = LayerRun(layer, on: kernels, options)
                let isSameOutput = bits(inference.output) == bits(run.output)
                #expect(isSameOutput, "\(name): inference and training forward differ")
                let isSameCell = bits(inference.finalCell) == bits(run.finalCell)
                #expect(isSameCell, "\(name): inference and training final c differ")
            }
        }
    }

    @Test(arguments: cases)
    func `leaves and processes do not change bits`(kernels: Int, shape: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let (named, projection) = Self.shapes[shape]
            let layer = LayerCase<Kernels.Scalar>(.lstm, named, projection: projection, stateClip: Self.clip)
            let leafCount = LeafPlan.leafCount(rows: named.batch)
            var options = LayerRun<Kernels>.Options()
            options.lengths = SequenceLengthsTests.lengths(named)
            let whole = LayerRun(layer, on: kernels, options)
            var sums: [Range<Int>: [Kernels.Scalar]] = [:]
            for (number, leaf) in LeafPlan.whole(rows: named.batch).leaves.enumerated() {
                options.rows = leaf
                options.plan = LeafPlan(leaves: [0..<leaf.count], subtrees: [0..<1])
                let alone = LayerRun(layer, on: kernels, options)
                expectSame(alone.results, whole.rows(leaf, steps: named.steps), "\(kernels), \(named), leaf \(number)")
                sums[number..<number + 1] = alone.parameterGradients[0]
            }
            let isSame = bits(combineSubtrees(0..<leafCount, sums)) == bits(whole.parameterGradients[0])
            #expect(isSame, "\(kernels), \(named)")
        }
        check(kernelsUnderTest[kernels])
    }

    /// One unit, one step: the candidate of c is i·g with i = σ(0) = ½ and g = tanh x.
    private func clipped<Kernels: KernelsUnderTest>(
        _ kernels: Kernels, _ x: Double, _ clip: StateClip, initialCell: Double = 0
    ) -> (cell: Double, gradient: Double, inputGradient: Double) {
        typealias Scalar = Kernels.Scalar
        let weights = kernels.recurrentWeights(
            RecurrentShape(cell: .lstm, inputChains: [1], hidden: 1, stateClip: clip))
        withPointers([[0, 0, 1, 0], [0, 0, 0, 0]]) {
            weights.update(
                from: RecurrentParameterPointers(
                    inputWeight: $0[0], hiddenWeight: $0[1], inputBias: $0[1], hiddenBias: $0[1]),
                training: true)
        }
        let sequence = kernels.recurrentSequence(weights, steps: 1, batch: 1, reverse: false, leaves: .whole(rows: 1))
        let (input, output, cell) = (Memory([Scalar(x)]), Memory([Scalar(0)]), Memory([Scalar(0)]))
        let c0 = Memory([Scalar(initialCell)])
        let (dc, dc0, dx) = (Memory([Scalar(1)]), Memory([Scalar(9)]), Memory([Scalar(9)]))
        let forward = RecurrentForward<Scalar>(
            input: input.pointer, inputStrides: .timeMajor(batch: 1, width: 1), initialCell: c0.pointer,
            output: output.pointer, outputStrides: .timeMajor(batch: 1, width: 1),
            finalCell: cell.pointer)
        sequence.forward(steps: 0..<1, forward, training: true, hook: .none)
        sequence.backwardData(
            steps: 0..<1,
            RecurrentBackwardData(
                outputGradient: nil, finalCellGradient: dc.pointer,
                inputGradient: dx.pointer, initialCellGradient: dc0.pointer),
            forward: forward, hook: .none)
        return withExtendedLifetime((input, output, dc, c0)) {
            (Double(cell.values[0]), Double(dc0.values[0]), Double(dx.values[0]))
        }
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `the derivative is one within the limits and at them, zero outside, NaN as asked`(kernels: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let inside = clipped(kernels, 0.5, StateClip(lower: -1, upper: 1))
            #expect(inside.gradient == 0.5 && inside.inputGradient != 0)
            // The limit is the candidate itself, to the bit.
            let atUpper = clipped(kernels, 0.5, StateClip(lower: -1, upper: inside.cell))
            #expect(atUpper.cell == inside.cell && atUpper.gradient == 0.5, "\(kernels)")
            let atLower = clipped(kernels, 0.5, StateClip(lower: inside.cell, upper: 1))
            #expect(atLower.cell == inside.cell && atLower.gradient == 0.5, "\(kernels)")
            for (x, limit) in [(3.0, 0.125), (-3.0, -0.125)] {
                let outside = clipped(kernels, x, StateClip(lower: -0.125, upper: 0.125))
                #expect(outside.cell == limit && outside.gradient == 0 && outside.inputGradient == 0, "\(kernels)")
            }
            let replaced = clipped(
                kernels, 0.5, StateClip(lower: -0.5, upper: 1, replacesNaN: true), initialCell: .nan)
            #expect(replaced.cell == -0.5 && replaced.gradient == 0 && replaced.inputGradient == 0, "\(kernels)")
            let kept = clipped(kernels, 0.5, StateClip(lower: -0.5, upper: 1), initialCell: .nan)
            #expect(kept.cell.isNaN && kept.inputGradient.isNaN, "\(kernels)")
        }
        check(kernelsUnderTest[kernels])
    }
}
