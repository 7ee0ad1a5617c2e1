import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Passes on whatever it gets; its state counts steps.
private final class Counter: RecurrentCell {
    init() { super.init(BlockOutline(prefix: "counter_", hint: "counter")) }
    override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo(shape: [batchSize, 200], dtype: .float64)]
    }
    override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        (input, [context.affine(states[0], scale: 1, shift: 1)])
    }
}

@Suite struct ModifierTests {
    private let training = ForwardContext(
        isTraining: true, leaves: .whole(rows: 2), random: RandomKey(seed: 8, step: 3))

    private func ramp(_ steps: Int) -> Variable {
        Variable(
            Tensor((0..<steps).flatMap { [Double](repeating: Double($0 + 1), count: 400) }, shape: [steps, 2, 200]))
    }

    private func unroll(
        _ cell: RecurrentCell, steps: Int = 5, _ context: ForwardContext
    ) -> (steps: [[Double]], state: [Double]) {
        let result = cell.unroll(ramp(steps), layout: .TNC, mergeOutputs: false, context)
        return (result.outputs.steps.map { $0.value.doubles() }, result.states[0].value.doubles())
    }

    /// What share of 400 elements has probability p; six standard errors √(p(1−p)/400).
    private func isShare(_ count: Int, _ p: Double) -> Bool {
        abs(Double(count) / 400 - p) < 6 * (p * (1 - p) / 400).squareRoot()
    }

    @Test func zoneoutKeepsPreviousOutputsAndStates() {
        let (outputs, state) = unroll(
            ZoneoutCell(Counter(), zoneoutOutputs: 0.3, zoneoutStates: 0.4), training)
        // y₋₁ = 0: at the first step a kept element is zero, later it is what it was.
        #expect(Set(outputs[0]) == [0, 1] && isShare(outputs[0].count { $0 == 0 }, 0.3))
        for step in 1..<5 {
            #expect(zip(outputs[step], outputs[step - 1]).allSatisfy { $0 == Double(step + 1) || $0 == $1 })
            #expect(isShare(outputs[step].count { $0 != Double(step + 1) }, 0.3))
        }
        // The state counts the steps it took part in.
        let mean = state.reduce(0, +) / 400
        #expect(abs(mean - 3) < 6 * (5 * 0.24 / 400).squareRoot())
        #expect(
            unroll(ZoneoutCell(Counter(), zoneoutOutputs: 1, zoneoutStates: 1), training).state.allSatisfy { $0 == 0 })
    }

    @Test func zoneoutForgetsThePreviousOutputAndDoesNothingInPrediction() {
        let cell = ZoneoutCell(Counter(), zoneoutOutputs: 0.5, zoneoutStates: 0.5)
        let first = unroll(cell, training)
        #expect(unroll(cell, training) == first)
        let predicted = unroll(cell, .inference(rows: 2))
        #expect(predicted.steps[3].allSatisfy { $0 == 4 } && predicted.state.allSatisfy { $0 == 5 })
        #expect(unroll(ZoneoutCell(Counter()), training) == predicted)
    }

    @Test func zoneoutsMasksOfOutputAndStateAreTheirOwnUnlessShared() {
        func agreement(_ shared: Bool) -> Bool {
            let cell = ZoneoutCell(
                Counter(), zoneoutOutputs: 0.5, zoneoutStates: 0.5, sharesOutputMask: shared)
            let result = unroll(cell, steps: 1, training)
            return result.steps[0] == result.state
        }
        #expect(agreement(true) && !agreement(false))
    }

    @Test func variationalDropoutKeepsItsMasksForASequence() {
        let cell = VariationalDropoutCell(Counter(), dropInputs: 0.4)
        let first = unroll(cell, training).steps
        #expect(Set(first[0]) == [0, 1 / (1 - 26_214 * 0x1p-16)] && isShare(first[0].count { $0 == 0 }, 0.4))
        for step in 1..<5 { #expect(zip(first[step], first[0]).allSatisfy { ($0 == 0) == ($1 == 0) }) }
        #expect(unroll(cell, .inference(rows: 2)).steps[0].allSatisfy { $0 == 1 })
        var later = training
        later.random.step = 4
        #expect(unroll(cell, later).steps != first)

        let state = unroll(VariationalDropoutCell(Counter(), dropStates: 0.5), training).state
        // s ← s·M/(1−p) + 1: kept elements double before they count.
        #expect(Set(state) == [1, 31])
    }

    @Test func variationalMasksAreEqualWhetherTheSequenceIsDroppedAsAWholeOrByStep() {
        let cell = VariationalDropoutCell(Counter(), dropInputs: 0.4, dropOutputs: 0.2)
        let whole = unroll(cell, training).steps
        cell.reset()
        var states = cell.beginState(batchSize: 2)
        for (index, step) in training.unstack(ramp(5), axis: 0).enumerated() {
            let result = cell(step, states: states, training)
            states = result.states
            #expect(result.output.value.doubles() == whole[index])
        }
    }

    @Test func dropoutCellAxesCountOnWhatIsDropped() {
        let ones = Variable(Tensor(repeating: 1.0, shape: [2, 30, 20]))
        let whole = DropoutCell(rate: 0.5, axes: [1], prefix: "d_").unroll(ones, layout: .NTC, training)
            .outputs.merged.value.doubles()
        // One mask for all steps of a row.
        for step in 1..<30 { #expect(Array(whole[step * 20..<(step + 1) * 20]) == Array(whole[0..<20])) }
        let steps = DropoutCell(rate: 0.5, axes: [1], prefix: "d_").unroll(
            ones, layout: .NTC, mergeOutputs: false, training
        ).outputs.steps.map { $0.value.doubles() }
        // One number for all features of a row and step.
        for step in steps { #expect(Set(step[0..<20]).count == 1 && Set(step[20..<40]).count == 1) }
        #expect(Set(steps.joined()) == [0, 2])
    }

    /// A list stays a list, also with lengths, which other cells answer with one tensor.
    @Test func dropoutCellKeepsTheFormOfItsInputs() {
        let steps = (0..<3).map { _ in Variable(Tensor(repeating: 1.0, shape: [2, 4])) }
        for lengths in [nil, Tensor([Int32(3), 1], shape: [2])] {
            let cell = DropoutCell(rate: 0.5, prefix: "d_")
            let list = cell.unroll(steps, validLength: lengths, training).outputs
            #expect(!list.isMerged && list.count == 3)
            #expect(cell.unroll(steps, mergeOutputs: true, validLength: lengths, training).outputs.isMerged)
        }
    }

    @Test func zeroWeightsMakeAResidualCellTheIdentity() {
        for cell in [
            ResidualCell(GRUCell(hiddenSize: 200, dtype: .float64)),
            ResidualCell(
                BidirectionalCell(
                    GRUCell(hiddenSize: 150, dtype: .float64), RNNCell(hiddenSize: 50, dtype: .float64))),
        ] {
            cell.initialize(ConstantInitializer.zero)
            #expect(unroll(cell, .inference(rows: 2)).steps.joined().elementsEqual(ramp(5).value.doubles()))
        }
    }

    @Test func forgetBiasIsSetOnRequest() {
        let cell = LSTMCell(
            hiddenSize: 2, initializers: RecurrentInitializers(inputBias: LSTMBiasInitializer(forgetBias: 2)),
            inputSize: 1, dtype: .float64)
        cell.initialize(seed: 1)
        #expect(cell.i2hBias.data.doubles() == [0, 0, 2, 2, 0, 0, 0, 0])
        #expect(cell.h2hBias.data.doubles() == [Double](repeating: 0, count: 8))
    }
}
