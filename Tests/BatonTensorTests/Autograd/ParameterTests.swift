import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct ParameterTests {
    private func backward(_ table: Parameter, _ gradient: [Double] = [3, 4]) {
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: 2))
        let y = context.embedding(Tensor([Int32(0), 0], shape: [2]), weight: table)
        tape.backward(from: [(y, Tensor(gradient, shape: [2, 1]))])
    }

    private func makeTable(_ requirement: GradientRequirement = .write) -> Parameter {
        let table = Parameter(name: "table", shape: [2, 1], dtype: .float64, gradientRequirement: requirement)
        table.setData(Tensor([1.0, 2], shape: [2, 1]))
        return table
    }

    @Test func withoutAnArenaWriteReplacesAddAddsAndNullHasNone() {
        let write = makeTable()
        #expect(write.gradient.doubles() == [0, 0] && !write.hasFreshGradient)
        for _ in 0..<2 { backward(write) }
        #expect(write.gradient.doubles() == [7, 0] && write.hasFreshGradient)
        write.gradientRequirement = .add
        backward(write)
        #expect(write.gradient.doubles() == [14, 0])
        write.zeroGradient()
        backward(write, [1, 1])
        #expect(write.gradient.doubles() == [2, 0])
        write.gradientRequirement = .null
        #expect(write.gradients.isEmpty)
        backward(write)
        #expect(write.gradients.isEmpty)
    }

    @Test func anArenaMayLeaveTheZeroingToTheBackwardPass() {
        let table = makeTable()
        let arena = ParameterArena([table], overwritesGradients: true)
        for _ in 0..<2 { backward(table) }
        #expect(arena.gradients[0].doubles()[0] == 7)
    }

    /// Of several subtrees, added up by `beginStep`'s rule: nothing of that is left when the arena is let go of.
    @Test func whatAnArenaWantedEndsWithIt() {
        let table = makeTable()
        do {
            let arena = ParameterArena([table], subtreeCount: 2)
            arena.select(gradients: 1..<2)
            for _ in 0..<2 { backward(table) }
            #expect(arena.gradients[1].doubles()[0] == 14 && table.hasFreshGradient)
        }
        #expect(!table.hasFreshGradient && table.data.doubles() == [1, 2])
        for _ in 0..<2 { backward(table) }
        #expect(table.gradient.doubles() == [7, 0])
        let again = ParameterArena([table])
        #expect(again.data.doubles()[0] == 1)
    }

    @Test func aGradientOfRequirementNullIsAMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = Parameter(name: "t", shape: [1], gradientRequirement: .null)
            _ = table.gradient
        }
        #expect(
            Complaint.missing(
                "Parameter t: has no gradient, because its gradient requirement is null",
                in: result?.standardErrorContent) == nil)
    }

    @Test func valuesOfAnotherShapeAreAMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Parameter(name: "t", shape: [2]).setData(Tensor(zeros: [3]))
        }
        #expect(Complaint.missing("Parameter t: expected shape [2], got [3]", in: result?.standardErrorContent) == nil)
    }

    @Test func dataBeforeInitialisationAndWhileTheShapeIsUnknownIsAMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Parameter(name: "t", shape: [2]).data
        }
        #expect(
            Complaint.missing("Parameter t: used before it was initialised", in: result?.standardErrorContent) == nil)
        let other = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let parameter = Parameter(name: "t", shape: [2, 0])
            parameter.initialize(FixedValue(), seed: 0)
            _ = parameter.data
        }
        #expect(Complaint.missing("Parameter t: its shape [2, 0] is not known", in: other?.standardErrorContent) == nil)
    }

    @Test func castKeepsValuesAndGradients() {
        let table = makeTable(.add)
        backward(table)
        table.cast(to: .float32)
        #expect(table.dtype == .float32 && table.data.elements(as: Float.self) == [1, 2])
        #expect(table.gradient.elements(as: Float.self) == [7, 0])
    }

    @Test func castInAnArenaIsAMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let table = Parameter(name: "t", shape: [1])
            table.setData(Tensor(zeros: [1]))
            withExtendedLifetime(ParameterArena([table])) { table.cast(to: .float64) }
        }
        #expect(Complaint.missing("Parameter t: cast before an arena", in: result?.standardErrorContent) == nil)
    }

    @Test func descriptionIsGluons() {
        #expect(
            Parameter(name: "a_bias", shape: [3]).description == "Parameter a_bias (shape=(3,), dtype=float32)")
        #expect(
            Parameter(name: "a", shape: [9, 4], dtype: .float64).description
                == "Parameter a (shape=(9, 4), dtype=float64)")
    }
}

private struct FixedValue: Initializer {
    func fill(_ tensor: Tensor, stream: RandomStream) { tensor.fill(1) }
}
