import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct CellGradientTests {
    /// Objective: Σ y·w + Σ final states·v with fixed random w, v; every gradient against central differences.
    private func violations(
        _ kind: CellCase, layout: SequenceLayout, lengths: [Int]?, hybridized: Bool = false,
        leaves: LeafPlan = .whole(rows: 3)
    ) -> [String] {
        let cell = kind.makeInitialized()
        if hybridized { cell.hybridize() }
        let arena = ParameterArena(cell.collectParameters().reversed(), subtreeCount: leaves.subtrees.count)
        let input = Variable(
            randomTensor(layout == .TNC ? [4, 3, 3] : [3, 4, 3], seed: 5), requiresGradient: true)
        let states = randomStates(cell, batchSize: 3, seed: 9, requiresGradient: true)
        let tape = Tape()
        var context = ForwardContext(
            tape: tape, isTraining: true, leaves: leaves, random: RandomKey(seed: 1, step: 2))
        let validLength = lengths.map { Tensor($0.map { Int64($0) }, shape: [3]) }
        func run() -> [Variable] {
            let result = cell.unroll(
                input, beginState: states, layout: layout, mergeOutputs: true, validLength: validLength, context)
            return [result.outputs.merged] + result.states
        }
        let values = run()
        let weights = values.enumerated().map { randomTensor($1.shape, seed: 40 + UInt64($0)) }
        arena.beginStep()
        tape.backward(from: zip(values, weights).map { ($0, $1.copy()) })
        context.tape = nil

        var found: [String] = []
        func check(_ name: String, _ tensor: Tensor, _ gradient: [Double], changed: () -> Void = {}) {
            let memory = tensor.pointer(of: Double.self)
            let start = tensor.doubles()
            let expected = GradientCheck.centralDifferences(at: start) { point in
                memory.update(from: point, count: point.count)
                changed()
                return zip(run(), weights).reduce(0.0) { sum, pair in
                    zip(pair.0.value.doubles(), pair.1.doubles()).reduce(sum) { $0 + $1.0 * $1.1 }
                }
            }
            memory.update(from: start, count: start.count)
            changed()
            if let problem = Tolerance.violation(
                name, gradient, expected, scale: 0.1, tolerance: 256 * GradientCheck.tolerance)
            {
                found.append(problem)
            }
        }
        check("input", input.value, input.gradient?.doubles() ?? [])
        for (index, state) in states.enumerated() {
            check("state \(index)", state.value, state.gradient?.doubles() ?? [])
        }
        for slot in arena.slots {
            let parameter = slot.parameter
            let sum = parameter.gradients.dropFirst().reduce(parameter.gradients[0].doubles()) {
                zip($0, $1.doubles()).map { $0 + $1 }
            }
            check(parameter.name, parameter.data, sum) { parameter.markChanged() }
        }
        return found
    }

    @Test(arguments: CellCase.allCases, [false, true])
    func everyGradientMatchesDifferences(_ kind: CellCase, _ hybridized: Bool) {
        #expect(violations(kind, layout: .TNC, lengths: nil, hybridized: hybridized) == [])
    }

    @Test(arguments: CellCase.allCases, [false, true])
    func withLengthsTooAlsoZero(_ kind: CellCase, _ hybridized: Bool) {
        #expect(violations(kind, layout: .NTC, lengths: [4, 0, 2], hybridized: hybridized) == [])
    }

    @Test(arguments: [CellCase.lstm, .deep, .layerNormLSTM]) func asPartOfASplitBatchToo(_ kind: CellCase) {
        let leaves = LeafPlan(leaves: [0..<1, 1..<2, 2..<3], subtrees: [0..<1, 1..<3])
        #expect(violations(kind, layout: .NTC, lengths: [3, 4, 1], leaves: leaves) == [])
    }
}
