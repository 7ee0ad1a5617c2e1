import BatonNN
import BatonTensor
import Testing

/// Widths that the first forward pass tells, in layers that take lengths (MXNet #20524).
@Suite struct DeferredLengthsTests {
    @Test func anUnknownInputSizeAndLengthsGoTogether() {
        let layers: [RecurrentLayer] = [
            RNN(hiddenSize: 2, useSequenceLength: true, prefix: "rnn_"),
            GRU(hiddenSize: 2, bidirectional: true, useSequenceLength: true, prefix: "gru_"),
            LSTM(hiddenSize: 2, numLayers: 2, useSequenceLength: true, prefix: "lstm_"),
        ]
        for layer in layers {
            layer.initialize(seed: 2)
            let input = Variable(Tensor(repeating: Float(0.5), shape: [3, 2, 4]))
            let context = ForwardContext.inference(rows: 2)
            let states = layer.stateInfo(batchSize: 2).map { Variable(Tensor(zeros: $0.shape)) }
            let (output, _) = layer(input, states: states, sequenceLength: [3, 1], context)
            #expect(layer.directions[0].inputWeight.shape[1] == 4)
            let values = output.value.elements(as: Float.self)
            let width = output.shape[2]
            // The second row is valid at t = 0 only.
            let start = (2 * 1 + 1) * width
            #expect(values[start..<start + width].allSatisfy { $0 == 0 })
            #expect(values[0] != 0)
        }
    }
}
