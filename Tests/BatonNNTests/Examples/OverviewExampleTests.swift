import BatonKernels
import BatonNN
import BatonTensor
import Testing

/// The two examples of Gluon's overview of recurrent layers and cells, compiled and run.
@Suite struct OverviewExampleTests {
    /// Sequence labelling: for each of three words a distribution over five tags.
    @Test func aNetForSequenceLabellingLearns() throws {
        let net = Sequential(prefix: "tagger_")
        net.nameScope {
            net.add(Embedding(inputDim: 30, outputDim: 10, layout: .NTC))
            net.add(LSTM(hiddenSize: 20, layout: .NTC))
            net.add(Dense(units: 5, layout: .NTC))
        }
        net.initialize(XavierInitializer(), seed: 1)
        let words = Variable(Tensor([Int32(3), 17, 8, 29, 0, 17], shape: [2, 3]))
        #expect(net(words, .inference(rows: 2)).shape == [2, 3, 5])

        let tags = Tensor([Int32(0), 4, 1, 2, 3, 4], shape: [2, 3])
        let loss = SoftmaxCrossEntropyLoss()
        let trainer = Trainer(try net.collectParams(), AdamRule(), learningRate: 0.05)
        let tape = Tape()
        var history: [Double] = []
        for step in 0..<40 {
            let context = ForwardContext.training(
                rows: 2, tape: tape, random: RandomKey(seed: 1, step: UInt32(step)))
            let value = loss(net(words, context), tags, context)
            tape.backward(value)
            try clipGlobalNorm(net.collectParameters().map(\.gradient), maximum: 5)
            try trainer.step(batchSize: 2)
            history.append(value.value.doubles().reduce(0, +) / 2)
        }
        // Five tags: −log 1/5 = 1.6 at the start.
        #expect(history[0] > 1.3 && history[39] < 0.05)
    }

    /// A stack of cells, stepped by hand.
    @Test func stackedCellsAreSteppedByHand() {
        let model = SequentialRNNCell(prefix: "stack_")
        model.nameScope {
            model.add(LSTMCell(hiddenSize: 20))
            model.add(DropoutCell(rate: 0.3))
            model.add(LSTMCell(hiddenSize: 20))
        }
        model.initialize(seed: 1)
        let context = ForwardContext.inference(rows: 5)
        var states = model.beginState(batchSize: 5)
        var outputs: [Variable] = []
        let inputs = context.unstack(Variable(Tensor(repeating: Float(1), shape: [5, 3, 10])), axis: 1)
        for input in inputs {
            let step = model(input, states: states, context)
            states = step.states
            outputs.append(step.output)
        }
        #expect(outputs.map(\.shape) == [[5, 20], [5, 20], [5, 20]])
        #expect(states.count == 4)
        #expect(model.collectParameters()[0].shape == [80, 10])
        let unrolled = model.unroll(inputs, context)
        #expect(unrolled.outputs.steps[2].value.doubles() == outputs[2].value.doubles())
    }
}
