import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct RecurrentLayerTests {
    /// Values that repeat with a period, in [−1, 1].
    private func wave(_ shape: [Int], period: Int, _ dtype: DType = .float64) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { index -> Double in
            2 * Double(index % period) / Double(period - 1) - 1
        }
        return dtype == .float64 ? Tensor(values, shape: shape) : Tensor(values.map { Float($0) }, shape: shape)
    }

    @Test func parametersHaveGluonsNamesShapesAndOrder() {
        let layer = LSTM(hiddenSize: 5, numLayers: 2, bidirectional: true, inputSize: 3, prefix: "lstm0_")
        #expect(
            layer.collectParameters().map(\.name) == [
                "lstm0_l0_i2h_weight", "lstm0_l0_h2h_weight", "lstm0_l0_i2h_bias", "lstm0_l0_h2h_bias",
                "lstm0_r0_i2h_weight", "lstm0_r0_h2h_weight", "lstm0_r0_i2h_bias", "lstm0_r0_h2h_bias",
                "lstm0_l1_i2h_weight", "lstm0_l1_h2h_weight", "lstm0_l1_i2h_bias", "lstm0_l1_h2h_bias",
                "lstm0_r1_i2h_weight", "lstm0_r1_h2h_weight", "lstm0_r1_i2h_bias", "lstm0_r1_h2h_bias",
            ])
        let shapes = layer.collectParameters().map(\.shape)
        #expect(shapes[0...3] == [[20, 3], [20, 5], [20], [20]])
        #expect(shapes[8] == [20, 10])
        #expect(layer.parameters[5].attribute == "r0_h2h_weight")
    }

    @Test func anInputSizeOfZeroIsKnownAfterTheFirstForwardPass() {
        let layer = GRU(hiddenSize: 4, numLayers: 2, dtype: .float64)
        layer.initialize(seed: 1)
        #expect(layer.directions[0].inputWeight.shape == [12, 0])
        #expect(!layer.directions[0].inputWeight.isInitialized)
        let output = layer(Variable(Tensor(zeros: [2, 3, 7], dtype: .float64)), .inference(rows: 3))
        #expect(output.shape == [2, 3, 4])
        #expect(layer.directions[0].inputWeight.shape == [12, 7])
    }

    @Test func layoutNTCIsTNCWithSwappedAxes() {
        func run(_ layout: SequenceLayout, _ input: Tensor) -> Tensor {
            let layer = LSTM(
                hiddenSize: 4, numLayers: 2, layout: layout, bidirectional: true, inputSize: 3, dtype: .float64,
                prefix: "net_")
            layer.initialize(seed: 1)
            return layer(Variable(input), .inference(rows: 3)).value
        }
        let input = wave([2, 3, 3], period: 7)
        let swapped = run(.NTC, input.withSwappedLeadingAxes())
        #expect(swapped.shape == [3, 2, 8])
        #expect(swapped.withSwappedLeadingAxes().doubles() == run(.TNC, input).doubles())
    }

    @Test func finalStatesContinueTheSequence() {
        let layer = LSTM(hiddenSize: 4, numLayers: 2, inputSize: 3, dtype: .float64, prefix: "net_")
        layer.initialize(seed: 1)
        let input = wave([6, 2, 3], period: 7)
        let context = ForwardContext.inference(rows: 2)
        let whole = layer(Variable(input), context).value
        let first = layer(Variable(input[leading: 0..<4]), states: layer.beginState(batchSize: 2), context)
        let second = layer(Variable(input[leading: 4..<6]), states: first.states, context)
        #expect(second.states.map(\.shape) == [[2, 2, 4], [2, 2, 4]])
        let joined = first.output.value.doubles() + second.output.value.doubles()
        #expect(zip(joined, whole.doubles()).allSatisfy { abs($0 - $1) < 1e-14 })
    }

    @Test func changedParametersAreUsedByTheNextForwardPass() {
        let layer = RNN(hiddenSize: 2, activation: .tanh, inputSize: 2, dtype: .float64, prefix: "net_")
        layer.initialize(seed: 1)
        let input = Variable(Tensor(repeating: 1.0, shape: [1, 1, 2]))
        let before = layer(input, .inference(rows: 1)).value.doubles()
        layer.directions[0].inputBias.setData(Tensor([0.5, 0.5], shape: [2]))
        #expect(layer(input, .inference(rows: 1)).value.doubles() != before)
    }

    @Test func dropoutActsBetweenLayersInTrainingOnly() {
        func run(layers: Int, dropout: Double, training: Bool) -> [Double] {
            let layer = GRU(
                hiddenSize: 8, numLayers: layers, dropout: dropout, inputSize: 3, dtype: .float64, prefix: "net_")
            layer.initialize(seed: 1)
            let context = ForwardContext(isTraining: training, leaves: .whole(rows: 2))
            return layer(Variable(Tensor(repeating: 1.0, shape: [3, 2, 3])), context).value.doubles()
        }
        #expect(run(layers: 2, dropout: 0.5, training: true) != run(layers: 2, dropout: 0, training: true))
        #expect(run(layers: 2, dropout: 0.5, training: false) == run(layers: 2, dropout: 0, training: false))
        #expect(run(layers: 1, dropout: 0.5, training: true) == run(layers: 1, dropout: 0, training: true))
    }

    @Test func piecewisePassesEqualTheTape() {
        let layer = LSTM(hiddenSize: 4, inputSize: 3, dtype: .float64, prefix: "net_")
        layer.initialize(UniformInitializer(0.5), seed: 1)
        let arena = ParameterArena(layer.collectParameters())
        let leaves = LeafPlan.whole(rows: 2)
        let input = wave([5, 2, 3], period: 7)
        let seed = wave([5, 2, 4], period: 7)

        let tape = Tape()
        arena.beginStep()
        let x = Variable(input, requiresGradient: true)
        let y = layer(x, ForwardContext(tape: tape, leaves: leaves))
        let output = y.value.doubles()
        tape.backward(from: [(y, seed.copy())])
        let expected = arena.gradients[0].doubles()

        arena.beginStep()
        let operands = RecurrentOperands(input: input, output: Tensor(zeros: [5, 2, 4], dtype: .float64))
        let pass = layer.directions[0].begin(operands, leaves: leaves, training: true)
        for steps in [0..<2, 2..<3, 3..<5] { pass.forward(steps: steps, hook: .none) }
        #expect(operands.output.doubles() == output)
        let dx = Tensor(zeros: [5, 2, 3], dtype: .float64)
        for steps in [4..<5, 1..<4, 0..<1] {
            pass.backwardData(steps: steps, RecurrentGradientOperands(output: seed, input: dx), hook: .none)
        }
        pass.backwardWeights(hook: .none)
        #expect(arena.gradients[0].doubles() == expected)
        #expect(dx.doubles() == x.gradient?.doubles())
    }

    /// I is known from weights that were loaded, before a layer has seen an input.
    @Test func loadedWeightsTellTheWidthOfTheInput() {
        let layer = LSTM(hiddenSize: 4, prefix: "net_")
        let direction = layer.directions[0]
        #expect(direction.inputChains == nil)
        direction.inputWeight.setData(wave([1, 16, 3], period: 7, .float32).reshaped([16, 3]))
        layer.initialize(UniformInitializer(0.5), seed: 1)
        #expect(direction.inputChains == [3] && direction.sharedCount(steps: 2, rows: 2, training: true) > 0)
        let operands = RecurrentOperands(
            input: wave([5, 2, 3], period: 5, .float32), output: Tensor(zeros: [5, 2, 4]))
        let pass = direction.begin(operands, leaves: .whole(rows: 2), training: false)
        pass.forward(steps: 0..<5, hook: .none)
        #expect(operands.output.doubles().contains { $0 != 0 })
    }

    /// Weights are packed for the backward pass when it begins, or earlier on request, and again after every change.
    @Test(arguments: [DType.float32, .float64])
    func backwardPassesReadTheParametersOfTheirForwardPass(dtype: DType) {
        let leaves = LeafPlan.whole(rows: 2)
        let seed = wave([5, 2, 4], period: 7, dtype)
        func inputGradient(_ layer: LSTM, preparing: Bool) -> [Double] {
            let operands = RecurrentOperands(
                input: wave([5, 2, 3], period: 5, dtype), output: Tensor(zeros: [5, 2, 4], dtype: dtype))
            let pass = layer.directions[0].begin(operands, leaves: leaves, training: true)
            pass.forward(steps: 0..<5, hook: .none)
            if preparing { pass.prepareBackward() }
            let dx = Tensor(zeros: [5, 2, 3], dtype: dtype)
            pass.backwardData(steps: 0..<5, RecurrentGradientOperands(output: seed, input: dx), hook: .none)
            return dx.doubles()
        }
        func layer(seed: UInt64) -> LSTM {
            let layer = LSTM(hiddenSize: 4, inputSize: 3, dtype: dtype, prefix: "net_")
            layer.initialize(UniformInitializer(0.5), seed: seed)
            return layer
        }
        let (changing, other) = (layer(seed: 1), layer(seed: 2))
        for preparing in [false, true] {
            let first = inputGradient(changing, preparing: preparing)
            #expect(first == inputGradient(changing, preparing: !preparing))
            for (parameter, values) in zip(changing.directions[0].parameters, other.directions[0].parameters) {
                parameter.setData(values.data)
            }
            #expect(inputGradient(changing, preparing: preparing) == inputGradient(other, preparing: true))
            #expect(inputGradient(changing, preparing: false) != first)
            changing.initialize(UniformInitializer(0.5), seed: 1, force: true)
        }
    }

    /// Also if another window has begun with the new ones since.
    @Test(arguments: [false, true]) func parametersThatChangeBetweenThePassesAreAMistake(beginsAnother: Bool) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [beginsAnother] in
            let layer = LSTM(hiddenSize: 4, inputSize: 3, prefix: "net_")
            layer.initialize(UniformInitializer(0.5), seed: 1)
            let operands = RecurrentOperands(input: Tensor(zeros: [5, 2, 3]), output: Tensor(zeros: [5, 2, 4]))
            let pass = layer.directions[0].begin(operands, leaves: .whole(rows: 2), training: true)
            pass.forward(steps: 0..<5, hook: .none)
            layer.directions[0].hiddenWeight.setData(Tensor(zeros: [16, 4]))
            if beginsAnother {
                layer.directions[0].begin(operands, leaves: .whole(rows: 2), training: true).prepareBackward()
            }
            pass.prepareBackward()
        }
        #expect(
            Complaint.missing(
                "the parameters of the layer changed between its forward and its backward pass",
                in: result?.standardErrorContent) == nil)
    }
}
