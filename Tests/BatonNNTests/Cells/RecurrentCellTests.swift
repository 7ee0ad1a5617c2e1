import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct RecurrentCellTests {
    private let context = ForwardContext.inference(rows: 2)

    @Test(arguments: CellCase.allCases.filter(\.canBeStepped), [false, true])
    func steppingByHandEqualsUnrollingWithTheSameMasks(_ kind: CellCase, _ isTraining: Bool) {
        let cell = kind.makeInitialized()
        let context = ForwardContext(
            isTraining: isTraining, leaves: .whole(rows: 2), random: RandomKey(seed: 4, step: 1, firstRow: 6))
        let input = randomTensor([2, 5, 3], seed: 1)
        let states = randomStates(cell, batchSize: 2, seed: 7)
        let unrolled = cell.unroll(Variable(input), beginState: states, mergeOutputs: true, context)
        // And so does the step that goes on after either.
        let next = Variable(randomTensor([2, 3], seed: 2))
        let after = cell(next, states: unrolled.states, context).output.value.doubles()
        cell.reset()
        var current = states
        var outputs: [Variable] = []
        for step in context.unstack(Variable(input), axis: 1) {
            let result = cell(step, states: current, context)
            current = result.states
            outputs.append(result.output)
        }
        #expect(context.stack(outputs, axis: 1).value.doubles() == unrolled.outputs.merged.value.doubles())
        #expect(current.map { $0.value.doubles() } == unrolled.states.map { $0.value.doubles() })
        #expect(cell.stepCount == 5)
        #expect(cell(next, states: current, context).output.value.doubles() == after)
    }

    @Test(arguments: CellCase.allCases) func listsAndBothLayoutsGiveTheSameSteps(_ kind: CellCase) {
        let cell = kind.makeInitialized()
        let input = randomTensor([4, 2, 3], seed: 1)
        let steps = context.unstack(Variable(input), axis: 0)
        let fromList = cell.unroll(steps, length: 4, layout: .TNC, context)
        let byTime = cell.unroll(Variable(input), layout: .TNC, mergeOutputs: false, context)
        let byRow = cell.unroll(Variable(input.withSwappedLeadingAxes()), mergeOutputs: false, context)
        for other in [byTime, byRow] {
            #expect(other.outputs.steps.map { $0.value.doubles() } == fromList.outputs.steps.map { $0.value.doubles() })
            #expect(other.states.map { $0.value.doubles() } == fromList.states.map { $0.value.doubles() })
        }
        // Variational dropout runs over the whole sequence and gives it back whole, as in Gluon.
        #expect(fromList.outputs.isMerged == (kind == .variationalInputs) && fromList.outputs.count == 4)
        let merged = cell.unroll(steps, layout: .NTC, mergeOutputs: true, context).outputs
        #expect(merged.isMerged && merged.merged.shape.prefix(2) == [2, 4])
    }

    /// Parity table 1.4.2, for tensor input.
    @Test(arguments: [
        (CellCase.lstm, false), (.bidirectional, false), (.residualBidirectional, false), (.zoneout, false),
        (.sequential, false), (.dropout, true), (.variationalInputs, true), (.variational, false),
    ])
    func theFormOfTheOutputsIsGluons(_ kind: CellCase, _ mergesByDefault: Bool) {
        let cell = kind.makeInitialized()
        let input = Variable(randomTensor([2, 3, 3], seed: 1))
        let lengths = Tensor([Int32(3), 1], shape: [2])
        func merged(_ merge: Bool?, _ lengths: Tensor? = nil) -> Bool {
            cell.unroll(input, mergeOutputs: merge, validLength: lengths, context).outputs.isMerged
        }
        #expect(merged(nil) == mergesByDefault)
        #expect(merged(true) && !merged(false))
        #expect(merged(nil, lengths) && !merged(false, lengths))
    }

    @Test func stateInfoAndInitialStates() {
        let cell = SequentialRNNCell(
            prefix: "s_",
            [LSTMPCell(hiddenSize: 4, projectionSize: 2, prefix: "a_"), GRUCell(hiddenSize: 3, prefix: "b_")])
        #expect(
            cell.stateInfo() == [
                StateInfo(shape: [0, 2], dtype: .float32), StateInfo(shape: [0, 4], dtype: .float32),
                StateInfo(shape: [0, 3], dtype: .float32),
            ])
        #expect(cell.stateInfo().allSatisfy { $0.layout == "NC" })
        var names: [String] = []
        let record = StateFunction { name, info in
            names.append(name)
            return Tensor(zeros: info.shape, dtype: info.dtype)
        }
        #expect(cell.beginState(batchSize: 5, record).map(\.shape) == [[5, 2], [5, 4], [5, 3]])
        _ = cell.beginState(batchSize: 5, record)
        cell.reset()
        _ = cell.beginState(batchSize: 5, record)
        #expect(
            names == [
                "a_begin_state_0", "a_begin_state_1", "b_begin_state_0", "a_begin_state_2", "a_begin_state_3",
                "b_begin_state_1", "a_begin_state_0", "a_begin_state_1", "b_begin_state_0",
            ])
        let one = GRUCell(hiddenSize: 50, prefix: "g_")
        #expect(one.beginState(batchSize: 1, .ones)[0].value.doubles() == [Double](repeating: 1, count: 50))
        let uniform = one.beginState(batchSize: 20, .uniform(low: 2, high: 3, seed: 1), dtype: .float64)[0]
        #expect(uniform.dtype == .float64 && uniform.value.doubles().allSatisfy { (2...3).contains($0) })
        let normal = one.beginState(batchSize: 20, .normal(loc: 5, scale: 0.1, seed: 1))[0].value.doubles()
        // Standard error of the mean of 1000 numbers: 0.1/√1000 = 0.003.
        #expect(abs(normal.reduce(0, +) / 1000 - 5) < 0.016)
    }

    @Test func defaultStatesHaveTheTypeOfTheInputsAndOfACastCell() {
        let cell = LSTMCell(hiddenSize: 2, inputSize: 1, prefix: "c_")
        cell.initialize(seed: 1)
        cell.cast(to: .float64)
        #expect(cell.beginState(batchSize: 1).allSatisfy { $0.dtype == .float64 })
        let result = cell.unroll(Variable(Tensor(zeros: [1, 3, 1], dtype: .float64)), .inference(rows: 1))
        #expect(result.states.allSatisfy { $0.dtype == .float64 })
    }

    @Test func theInputWidthIsInferred() throws {
        for cell in [RNNCell(hiddenSize: 10), LSTMCell(hiddenSize: 10), GRUCell(hiddenSize: 10)] as [PlainCell] {
            cell.initialize(seed: 1)
            #expect(!cell.i2hWeight.isInitialized && cell.i2hWeight.isDeferred)
            _ = cell.unroll(Variable(Tensor(zeros: [2, 3, 7])), context)
            #expect(cell.i2hWeight.shape[1] == 7 && cell.i2hWeight.isInitialized)
        }
        #expect(try GRUCell(hiddenSize: 4).inferShape([2, 9]) == [2, 4])
    }

    @Test func namesAndDescriptionsAreGluons() {
        #expect(RNNCell(hiddenSize: 4, inputSize: 3).description == "RNNCell(3 -> 4, tanh)")
        #expect(LSTMCell(hiddenSize: 4, inputSize: 3).description == "LSTMCell(3 -> 16)")
        #expect(GRUCell(hiddenSize: 4).description == "GRUCell(None -> 12)")
        #expect(
            LSTMPCell(hiddenSize: 4, projectionSize: 2, inputSize: 3).description == "LSTMPCell(3 -> 16 -> 2)")
        let stack = SequentialRNNCell(prefix: "s_")
        stack.nameScope {
            stack.add(LSTMCell(hiddenSize: 4))
            stack.add(ResidualCell(GRUCell(hiddenSize: 4, inputSize: 4)))
            stack.add(DropoutCell(rate: 0.5))
            stack.add(BidirectionalCell(LSTMCell(hiddenSize: 3), GRUCell(hiddenSize: 2)))
            stack.add(
                ZoneoutCell(RNNCell(hiddenSize: 3, inputSize: 5), zoneoutOutputs: 0.1, zoneoutStates: 0.2))
        }
        #expect(
            stack.description == """
                SequentialRNNCell(
                (0): LSTMCell(None -> 16)
                (1): ResidualCell(GRUCell(4 -> 12))
                (2): DropoutCell(rate=0.5, axes=())
                (3): BidirectionalCell(forward=LSTMCell(None -> 12), backward=GRUCell(None -> 6))
                (4): ZoneoutCell(p_out=0.1, p_state=0.2, RNNCell(5 -> 3, tanh))
                )
                """)
        let outer = SequentialRNNCell([
            SequentialRNNCell([GRUCell(hiddenSize: 4)]),
            BidirectionalCell(SequentialRNNCell([RNNCell(hiddenSize: 1)]), GRUCell(hiddenSize: 4)),
        ])
        #expect(
            outer.description == """
                SequentialRNNCell(
                (0): SequentialRNNCell(
                  (0): GRUCell(None -> 12)
                  )
                (1): BidirectionalCell(forward=SequentialRNNCell(
                  (0): RNNCell(None -> 1, tanh)
                  ), backward=GRUCell(None -> 12))
                )
                """)
        #expect(
            VariationalDropoutCell(LSTMCell(hiddenSize: 1), dropInputs: 0.1, dropStates: 0.2, dropOutputs: 0.3)
                .description == "VariationalDropoutCell(p_out = 0.3, p_state = 0.2)")
        #expect(
            stack.collectParameters().map(\.name).filter { $0.hasSuffix("h2h_bias") } == [
                "s_lstm0_h2h_bias", "s_gru0_h2h_bias", "s_lstm1_h2h_bias", "s_gru1_h2h_bias", "s_rnn0_h2h_bias",
            ])
        #expect(stack[1].prefix == "s_gru0_residualcell" && stack[4].name == "s_rnn0_zoneout")
        #expect(
            stack.namedParameters().map(\.name).filter { $0.hasSuffix("h2h_bias") } == [
                "0.h2h_bias", "1.base_cell.h2h_bias", "3.l_cell.h2h_bias", "3.r_cell.h2h_bias",
                "4.base_cell.h2h_bias",
            ])
    }

    /// The order in which MXNet writes them, so that files are equal byte for byte.
    @Test func aProjectedCellHasItsThirdWeightBeforeTheBiases() {
        let cell = LSTMPCell(hiddenSize: 4, projectionSize: 2, inputSize: 3, prefix: "p_")
        #expect(
            cell.collectParameters().map(\.name) == [
                "p_i2h_weight", "p_h2h_weight", "p_h2r_weight", "p_i2h_bias", "p_h2h_bias",
            ])
        #expect(cell.collectParameters().map(\.shape) == [[16, 3], [16, 2], [2, 4], [16], [16]])
    }

    @Test func cellsShareParametersByName() {
        let first = LSTMCell(hiddenSize: 3, inputSize: 3, prefix: "a_")
        let second = LSTMCell(hiddenSize: 3, inputSize: 3, prefix: "b_", params: first.params)
        #expect(zip(first.collectParameters(), second.collectParameters()).allSatisfy { $0 === $1 })
        #expect(second.prefix == "b_")
    }

    @Test func activationsHaveFiveNames() throws {
        #expect(try ActivationFunction(named: "softrelu").name == "softrelu")
        let error = #expect(throws: NNError.self) { try ActivationFunction(named: "hard_sigmoid") }
        #expect(error?.message.contains("'hard_sigmoid'") == true && error?.message.contains("softsign") == true)
    }

    @Test func hooksOfAPlainCellRunOncePerStep() {
        let cell = GRUCell(hiddenSize: 2, inputSize: 1, prefix: "g_")
        let stack = SequentialRNNCell(prefix: "s_", [cell])
        stack.initialize(seed: 1)
        var shapes: [[[[Int]]]] = []
        _ = cell.registerForwardHook { _, inputs, outputs in shapes.append([inputs.map(\.shape), outputs.map(\.shape)])
        }
        _ = stack.unroll(Variable(Tensor(zeros: [2, 3, 1])), context)
        #expect(shapes.count == 3 && shapes[0] == [[[2, 1], [2, 2]], [[2, 2], [2, 2]]])
    }

    /// `checkStep` throws what a call would end the process with.
    @Test func argumentsOfAStepAreCheckedByName() throws {
        let cell = LSTMCell(hiddenSize: 4, inputSize: 3, prefix: "c_")
        let input = Variable(Tensor(zeros: [2, 3]))
        let states = cell.beginState(batchSize: 2)
        try cell.checkStep(input, states)
        func refusal(_ input: Variable, _ states: [Variable]) -> String {
            #expect(throws: NNError.self) { try cell.checkStep(input, states) }?.message ?? ""
        }
        #expect(refusal(input, [states[0]]).contains("2 states, got 1"))
        let narrow = refusal(input, [states[0], Variable(Tensor(zeros: [2, 3]))])
        #expect(narrow.contains("[2, 4]") && narrow.contains("[2, 3]"))
        let width = refusal(Variable(Tensor(zeros: [2, 5])), states)
        #expect(width.contains("c_i2h_weight") && width.contains("[16, 3]") && width.contains("[2, 5]"))
        let type = refusal(
            Variable(Tensor(zeros: [2, 3], dtype: .float64)), cell.beginState(batchSize: 2, dtype: .float64))
        #expect(type.contains("float64") && type.contains("float32") && type.contains("c_i2h_weight"))
        #expect(refusal(Variable(Tensor(zeros: [3])), states).contains("(N,C)"))
    }
}
