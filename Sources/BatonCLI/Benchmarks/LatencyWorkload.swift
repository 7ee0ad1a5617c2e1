import Baton

/// A recurrent stack that is fed chunk after chunk and carries its states from one to the next, as a stream does.
final class LatencyWorkload {
    private let layer: RecurrentLayer
    private let context: ForwardContext
    /// The chunks in turn: more than one, so that no call finds the input of the last.
    private let chunks: [Variable]
    private var states: [Variable]
    private var calls = 0

    /// Random weights and chunks of T steps of N rows, zero states.
    ///
    /// - Precondition: one direction; a stream has no last step to start the other from.
    init(_ shape: KernelShape) {
        precondition(!shape.bidirectional, "LatencyWorkload: a bidirectional stack cannot be fed in chunks")
        layer = Self.makeLayer(shape)
        layer.initialize(UniformInitializer(1 / Double(shape.hidden).squareRoot()), seed: 1)
        context = .inference(rows: shape.batch)
        chunks = (0..<4).map { number in
            let chunk = Tensor(uninitialized: [shape.steps, shape.batch, shape.input])
            chunk.fillUniform(-1...1, stream: RandomStream(seed: 1, name: "chunk \(number)"))
            return Variable(chunk)
        }
        states = layer.beginState(batchSize: shape.batch)
    }

    private static func makeLayer(_ shape: KernelShape) -> RecurrentLayer {
        switch shape.cell {
        case .lstm: LSTM(hiddenSize: shape.hidden, numLayers: shape.layers, inputSize: shape.input)
        case .gru: GRU(hiddenSize: shape.hidden, numLayers: shape.layers, inputSize: shape.input)
        case .rnnTanh, .rnnRelu:
            RNN(
                hiddenSize: shape.hidden, numLayers: shape.layers,
                activation: shape.cell == .rnnTanh ? .tanh : .relu, inputSize: shape.input)
        }
    }

    /// The next chunk, from the states the last one left.
    func step() {
        (_, states) = layer(chunks[calls % chunks.count], states: states, context)
        calls += 1
    }
}
