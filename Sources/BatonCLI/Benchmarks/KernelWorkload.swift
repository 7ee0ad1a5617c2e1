import Baton
import BatonKernelABI

/// A recurrent stack on one backend with all its memory, ready to be run again and again.
final class KernelWorkload {
    /// One layer and direction.
    struct Part {
        let layer: Int
        /// First column of the layer's output that this direction writes.
        let column: Int
        let weights: any RecurrentWeights<Float>
        /// What they are made of, in `parameters`.
        let source: RecurrentParameterPointers<Float>
        let sequence: any RecurrentSequence<Float>
        /// W, U, b, q, and their gradients.
        let parameters: [Tensor]
        let gradients: [Tensor]
        /// h and, for LSTM, c before the first step, and their gradients; none if the stack starts from zero.
        let states: [Tensor]
        let stateGradients: [Tensor]
    }

    private let shape: KernelShape
    private let axes: SequenceLayout
    private let leaves: LeafPlan
    /// Entry l·D + d.
    let parts: [Part]
    /// The input and the output of every layer, and the gradients of all these.
    let values: [Tensor]
    let gradients: [Tensor]
    private let lengths: SequenceLengths?

    /// Random data of the size real networks have; the same for every backend. `axes` are those of the stack's input and
    /// output; between layers time is first. `lengths` of the rows; nil is T for all.
    ///
    /// - Precondition: weights are in float32 or the backend is `packed`; other than in float32 the stack only infers.
    init(
        _ shape: KernelShape, axes: SequenceLayout = .TNC, backend: KernelBackend,
        precision: WeightPrecision = .float32, lengths: [Int]? = nil
    ) {
        self.shape = shape
        self.axes = axes
        self.lengths = lengths.map { SequenceLengths($0, steps: shape.steps) }
        let leaves = LeafPlan.whole(rows: shape.batch)
        self.leaves = leaves
        let widths = [shape.input] + Array(repeating: shape.directions * shape.hidden, count: shape.layers)
        values = widths.enumerated().map { level, width in
            Self.random("x\(level)", [shape.steps, shape.batch, width], 1)
        }
        gradients = widths.enumerated().map { level, width in
            Self.random("dx\(level)", [shape.steps, shape.batch, width], 1)
        }
        parts = shape.inputChains.enumerated().flatMap { layer, chains in
            (0..<shape.directions).map { direction in
                Self.part(shape, layer, direction, chains: chains, leaves: leaves, backend, precision)
            }
        }
    }

    private static func random(_ name: String, _ shape: [Int], _ bound: Double) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        tensor.fillUniform(-bound...bound, stream: RandomStream(seed: 1, name: name))
        return tensor
    }

    private static func part(
        _ shape: KernelShape, _ layer: Int, _ direction: Int, chains: [Int], leaves: LeafPlan,
        _ backend: KernelBackend, _ precision: WeightPrecision
    ) -> Part {
        let (rows, hidden) = (shape.cell.gateCount * shape.hidden, shape.hidden)
        let bound = 1 / Double(hidden).squareRoot()
        let shapes = [[rows, chains.reduce(0, +)], [rows, hidden], [rows], [rows]]
        let parameters = zip(["W", "U", "b", "q"], shapes).map { random("\($0)\(layer).\(direction)", $1, bound) }
        let weights = Float.makeRecurrentWeights(
            RecurrentShape(cell: shape.cell, inputChains: chains, hidden: hidden, precision: precision),
            backend: backend)
        let pointers = parameters.map { UnsafePointer($0.pointer(of: Float.self)) }
        let source = RecurrentParameterPointers(
            inputWeight: pointers[0], hiddenWeight: pointers[1], inputBias: pointers[2], hiddenBias: pointers[3])
        weights.update(from: source, training: precision == .float32)
        let sequence = Float.makeRecurrentSequence(
            weights: weights, steps: shape.steps, batch: shape.batch, reverse: direction == 1, leaves: leaves)
        let kinds = shape.startsFromZero ? [] : shape.cell.hasCellState ? ["h", "c"] : ["h"]
        return Part(
            layer: layer, column: direction * hidden, weights: weights, source: source, sequence: sequence,
            parameters: parameters,
            gradients: shapes.map { Tensor(zeros: $0) },
            states: kinds.map { random("\($0)\(layer).\(direction)", [shape.batch, hidden], 1) },
            stateGradients: kinds.map { _ in Tensor(zeros: [shape.batch, hidden]) })
    }

    /// Where the rows of the input (level 0) or of a layer's output are.
    private func strides(_ level: Int) -> SequenceStrides {
        let width = level == 0 ? shape.input : shape.directions * shape.hidden
        let order = level == 0 || level == shape.layers ? axes : .TNC
        return order.strides(steps: shape.steps, batch: shape.batch, width: width)
    }

    private func arguments(_ part: Part) -> RecurrentForward<Float> {
        let states = part.states.map { UnsafePointer($0.pointer(of: Float.self)) }
        return RecurrentForward(
            input: UnsafePointer(values[part.layer].pointer(of: Float.self)),
            inputStrides: strides(part.layer),
            initialHidden: states.first, initialCell: states.count > 1 ? states[1] : nil,
            output: values[part.layer + 1].pointer(of: Float.self) + part.column,
            outputStrides: strides(part.layer + 1),
            lengths: lengths)
    }

    private func forward(training: Bool) {
        for part in parts {
            part.sequence.forward(steps: 0..<shape.steps, arguments(part), training: training, hook: .none)
        }
    }

    /// The forward pass without what training keeps.
    func infer() { forward(training: false) }

    /// Forward pass, gradients of the input and of states that are given, gradients of the parameters (added to what is
    /// there). Begins with bringing the weights into the kernels' form, which an optimiser has changed since the last pass.
    func train() {
        for part in parts { part.weights.update(from: part.source, training: true) }
        forward(training: true)
        for part in parts.reversed() {
            let arguments = arguments(part)
            let outputGradient = gradients[part.layer + 1].pointer(of: Float.self) + part.column
            let stateGradients = part.stateGradients.map { $0.pointer(of: Float.self) }
            part.sequence.backwardData(
                steps: 0..<shape.steps,
                RecurrentBackwardData(
                    outputGradient: UnsafePointer(outputGradient),
                    inputGradient: gradients[part.layer].pointer(),
                    addsToInputGradient: part.column == 0 && shape.bidirectional,
                    initialHiddenGradient: stateGradients.first,
                    initialCellGradient: stateGradients.count > 1 ? stateGradients[1] : nil),
                forward: arguments, hook: .none)
            let pointers = part.gradients.map { $0.pointer(of: Float.self) }
            part.sequence.backwardWeights(
                [
                    RecurrentGradientPointers(
                        inputWeight: pointers[0], hiddenWeight: pointers[1], inputBias: pointers[2],
                        hiddenBias: pointers[3])
                ], leaves: leaves, forward: arguments, hook: .none)
        }
    }
}
