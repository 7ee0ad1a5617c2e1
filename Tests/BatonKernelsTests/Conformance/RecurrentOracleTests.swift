import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// Every backend, cell and direction against the f64 oracle.
@Suite struct RecurrentOracleTests {
    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func `outputs, states and all gradients match the oracle on every named shape`(kernels: Int, cell: RecurrentKind) {
        for shape in NamedShapes.recurrent {
            for reverse in [false, true] {
                for twoChains in [false, true] {
                    check(kernelsUnderTest[kernels], cell, shape, reverse: reverse, twoChains: twoChains)
                }
            }
        }
    }

    private func check<Kernels: KernelsUnderTest>(
        _ kernels: Kernels, _ cell: RecurrentKind, _ shape: NamedShape, reverse: Bool, twoChains: Bool
    ) {
        let layer = LayerCase<Kernels.Scalar>(cell, shape, twoChains: twoChains, reverse: reverse)
        var options = LayerRun<Kernels>.Options()
        // The states are given in one half of the cases only, so that both ways are covered in every shape.
        options.givesStates = reverse == twoChains
        let run = LayerRun(layer, on: kernels, options)
        options.training = false
        let inference = LayerRun(layer, on: kernels, options)
        let name = "\(kernels), \(cell), \(shape), reverse \(reverse), \(layer.chains.count) chains"
        for violation in run.violations(name) { Issue.record("\(violation)") }
        #expect(!run.touchedPadding, "\(name) wrote between the rows")
        #expect(inference.output == run.output, "\(name): inference and training forward differ")
        #expect(inference.finalCell == run.finalCell, "\(name): inference and training final c differ")
        #expect(run.hookCalls == (shape.steps, shape.steps), "\(name): the hook is called once per step")
    }

    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func `leaves of more rows than a weight gradient takes at once match too`(kernels: Int, cell: RecurrentKind) {
        check(
            kernelsUnderTest[kernels], cell,
            NamedShape("long leaves", steps: 150, batch: 31, inputSize: 19, hidden: 21), reverse: false,
            twoChains: false)
    }

    /// A piece of a panel has 512 elements at most, and 96 rows wait between two pieces.
    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func `chains of several pieces and rows of several groups match too`(kernels: Int, cell: RecurrentKind) {
        for shape in [
            NamedShape("long input chains", steps: 1, batch: 7, inputSize: 1030, hidden: 20),
            NamedShape("long hidden chains", steps: 1, batch: 7, inputSize: 4, hidden: 530),
            NamedShape("two groups of rows", steps: 2, batch: 103, inputSize: 5, hidden: 20),
        ] {
            check(kernelsUnderTest[kernels], cell, shape, reverse: false, twoChains: false)
        }
    }

    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func `the input gradient can be added to what is there`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let layer = LayerCase<Kernels.Scalar>(
                cell, NamedShape("adds", steps: 4, batch: 5, inputSize: 19, hidden: 18))
            var options = LayerRun<Kernels>.Options()
            let written = LayerRun(layer, on: kernels, options).inputGradient
            options.addsToInputGradient = true
            let added = LayerRun(layer, on: kernels, options).inputGradient
            let expected = written.map { Double($0) + Double(LayerRun<Kernels>.offset) }
            let violation = Tolerance.violation(
                "dx", added.map { Double($0) }, expected, tolerance: layer.tolerance(backward: true))
            #expect(violation == nil)
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func `a window of no steps hands the states through`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let layer = LayerCase<Kernels.Scalar>(
                cell, NamedShape("no steps", steps: 0, batch: 3, inputSize: 4, hidden: 18))
            let run = LayerRun(layer, on: kernels)
            #expect(run.finalHidden == layer.initialHidden.map { Kernels.Scalar($0) })
            #expect(run.initialHiddenGradient == layer.finalHiddenGradient.map { Kernels.Scalar($0) })
            if cell == .lstm {
                #expect(run.finalCell == layer.initialCell.map { Kernels.Scalar($0) })
                #expect(run.initialCellGradient == layer.finalCellGradient.map { Kernels.Scalar($0) })
            }
            #expect(run.parameterGradients.count == 1)
            #expect(run.parameterGradients.joined().allSatisfy { $0 == 0 })
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: kernelsUnderTest.indices, RecurrentKind.allCases)
    func `a process without rows runs and has no gradients`(kernels: Int, cell: RecurrentKind) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            let layer = LayerCase<Kernels.Scalar>(
                cell, NamedShape("two rows", steps: 3, batch: 2, inputSize: 4, hidden: 18))
            var options = LayerRun<Kernels>.Options()
            // Three processes and two leaves: the first holds none.
            options.plan = LeafPlan.part(rows: 2, leafCount: 2, rank: 0, size: 3)
            options.rows = 0..<0
            let run = LayerRun(layer, on: kernels, options)
            #expect(run.plan.leaves.isEmpty && run.output.isEmpty && run.parameterGradients.isEmpty)
        }
        check(kernelsUnderTest[kernels])
    }

    @Test(arguments: kernelsUnderTest.indices)
    func `large pre-activations saturate and stay finite`(kernels: Int) {
        func check<Kernels: KernelsUnderTest>(_ kernels: Kernels) {
            for cell in [RecurrentKind.lstm, .gru, .rnnTanh] {
                for bias in [-1e4, 1e4] {
                    let rows = cell.gateCount * 3
                    let weights = kernels.recurrentWeights(
                        RecurrentShape(cell: cell, inputChains: [2], hidden: 3))
                    withPointers([
                        [Double](repeating: 0.5, count: rows * 2), [Double](repeating: 0.5, count: rows * 3),
                        [Double](repeating: bias, count: rows), [Double](repeating: 0, count: rows),
                    ]) {
                        weights.update(
                            from: RecurrentParameterPointers(
                                inputWeight: $0[0], hiddenWeight: $0[1], inputBias: $0[2], hiddenBias: $0[3]),
                            training: false)
                    }
                    let sequence = kernels.recurrentSequence(
                        weights, steps: 2, batch: 1, reverse: false, leaves: .whole(rows: 1))
                    let input = Memory<Kernels.Scalar>([1, -1, 1, -1])
                    let output = Memory<Kernels.Scalar>([9, 9, 9, 9, 9, 9])
                    sequence.forward(
                        steps: 0..<2,
                        RecurrentForward(
                            input: UnsafePointer(input.pointer), inputStrides: .timeMajor(batch: 1, width: 2),
                            output: output.pointer,
                            outputStrides: .timeMajor(batch: 1, width: 3)),
                        training: false, hook: .none)
                    withExtendedLifetime(input) {
                        #expect(
                            output.values.allSatisfy { abs($0) <= 1 }, "\(kernels), \(cell), bias \(bias)")
                    }
                }
            }
        }
        check(kernelsUnderTest[kernels])
    }
}
