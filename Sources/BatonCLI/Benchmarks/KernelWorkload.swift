import Baton
import BatonKernelABI

/// One recurrent layer and direction on one backend with all its memory, ready to be run again and again.
final class KernelWorkload {
    private let shape: KernelShape
    private let leaves: LeafPlan
    private let weights: any RecurrentWeights<Float>
    private let sequence: any RecurrentSequence<Float>
    /// W, U, b, q, and their gradients.
    private let parameters: [Tensor]
    private let gradients: [Tensor]
    private let input: Tensor
    private let output: Tensor
    private let inputGradient: Tensor
    private let outputGradient: Tensor

    /// Random data of the size real networks have; the same for every backend.
    init(_ shape: KernelShape, backend: KernelBackend) {
        self.shape = shape
        let (rows, hidden) = (shape.cell.gateCount * shape.hidden, shape.hidden)
        let bound = 1 / Double(hidden).squareRoot()
        func random(_ name: String, _ shape: [Int], _ bound: Double) -> Tensor {
            let tensor = Tensor(uninitialized: shape)
            tensor.fillUniform(-bound...bound, stream: RandomStream(seed: 1, name: name))
            return tensor
        }
        let parameterShapes = [[rows, shape.input], [rows, hidden], [rows], [rows]]
        parameters = zip(["W", "U", "b", "q"], parameterShapes).map { random($0, $1, bound) }
        gradients = parameterShapes.map { Tensor(zeros: $0) }
        input = random("x", [shape.steps, shape.batch, shape.input], 1)
        output = Tensor(zeros: [shape.steps, shape.batch, hidden])
        inputGradient = Tensor(zeros: input.shape)
        outputGradient = random("dy", output.shape, 1)
        leaves = LeafPlan.whole(rows: shape.batch)
        weights = Float.makeRecurrentWeights(
            RecurrentShape(cell: shape.cell, inputChains: [shape.input], hidden: hidden), backend: backend)
        let pointers = parameters.map { UnsafePointer($0.pointer(of: Float.self)) }
        weights.update(
            from: RecurrentParameterPointers(
                inputWeight: pointers[0], hiddenWeight: pointers[1], inputBias: pointers[2], hiddenBias: pointers[3]),
            training: true)
        sequence = Float.makeRecurrentSequence(
            weights: weights, steps: shape.steps, batch: shape.batch, reverse: false, leaves: leaves)
    }

    private var forwardArguments: RecurrentForward<Float> {
        RecurrentForward(
            input: input.pointer(), inputStride: shape.input, output: output.pointer(), outputStride: shape.hidden)
    }

    /// The forward pass without what training keeps.
    func infer() {
        sequence.forward(steps: 0..<shape.steps, forwardArguments, training: false, hook: .none)
    }

    /// Forward pass, gradients of input and states, gradients of the parameters (added to what is there).
    func train() {
        let arguments = forwardArguments
        sequence.forward(steps: 0..<shape.steps, arguments, training: true, hook: .none)
        sequence.backwardData(
            steps: 0..<shape.steps,
            RecurrentBackwardData(
                outputGradient: outputGradient.pointer(), outputGradientStride: shape.hidden,
                inputGradient: inputGradient.pointer(), inputGradientStride: shape.input),
            forward: arguments, hook: .none)
        let pointers = gradients.map { $0.pointer(of: Float.self) }
        let destination = RecurrentGradientPointers(
            inputWeight: pointers[0], hiddenWeight: pointers[1], inputBias: pointers[2], hiddenBias: pointers[3])
        sequence.backwardWeights([destination], leaves: leaves, forward: arguments, hook: .none)
    }
}
