import Baton
import BatonChecks

/// A recurrent stack that is fed chunk after chunk and carries its states from one to the next, as a stream does.
final class LatencyWorkload {
    private let layer: RecurrentLayer
    private let shape: KernelShape
    private let context: ForwardContext
    /// The chunks in turn: more than one, so that no call finds the input of the last.
    private let chunks: [Variable]
    private var states: [Variable]
    private var calls = 0

    /// Random weights and chunks of T steps of N rows, zero states.
    ///
    /// - Precondition: one direction; a stream has no last step to start the other from.
    init(_ shape: KernelShape, precision: WeightPrecision) {
        require(!shape.bidirectional, "LatencyWorkload: a bidirectional stack cannot be fed in chunks")
        self.shape = shape
        layer = Self.makeLayer(shape)
        layer.inferencePrecision = precision
        context = .inference(rows: shape.batch)
        chunks = (0..<4).map { number in
            let chunk = Tensor(uninitialized: [shape.steps, shape.batch, shape.input])
            chunk.fillUniform(-1...1, stream: RandomStream(seed: 1, name: "chunk \(number)"))
            return Variable(chunk)
        }
        states = layer.beginState(batchSize: shape.batch)
    }

    private static func makeLayer(_ shape: KernelShape) -> RecurrentLayer {
        let layer = RecurrentLayer.make(
            shape.cell, hiddenSize: shape.hidden, numLayers: shape.layers, inputSize: shape.input)
        layer.initialize(UniformInitializer(1 / Double(shape.hidden).squareRoot()), seed: 1)
        return layer
    }

    /// The next chunk, from the states the last one left.
    func step() {
        (_, states) = layer(chunks[calls % chunks.count], states: states, context)
        calls += 1
    }

    /// max |y − y₆₄| / max |y₆₄| over all chunks from zero states, against the same layer in f64. Outputs that float32 cannot
    /// hold, as those of hundreds of layers, count as its smallest normal number.
    func relativeError() -> Double {
        let exact = Self.makeLayer(shape)
        // Initial values depend on the names of the parameters, which no two layers share.
        for (copy, parameter) in zip(exact.collectParameters(), layer.collectParameters()) {
            copy.data.copyElements(from: parameter.data)
        }
        exact.cast(to: .float64)
        var states = layer.beginState(batchSize: shape.batch)
        var exactStates = exact.beginState(batchSize: shape.batch)
        var (difference, greatest) = (0.0, Double(Float.leastNormalMagnitude))
        for chunk in chunks {
            let output: Variable
            let exactOutput: Variable
            (output, states) = layer(chunk, states: states, context)
            (exactOutput, exactStates) = exact(
                Variable(chunk.value.cast(to: .float64)), states: exactStates, context)
            let values = output.value.pointer(of: Float.self)
            let exactValues = exactOutput.value.pointer(of: Double.self)
            for index in 0..<output.value.count {
                difference = max(difference, abs(Double(values[index]) - exactValues[index]))
                greatest = max(greatest, abs(exactValues[index]))
            }
        }
        return difference / greatest
    }
}
