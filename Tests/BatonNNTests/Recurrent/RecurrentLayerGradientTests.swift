import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// One stack to check: kind, layers, directions, and what surrounds them.
struct StackCase: Sendable, CustomStringConvertible {
    var cell: RecurrentKind
    var layers = 1
    var bidirectional = false
    var layout = SequenceLayout.TNC
    var dropout = 0.0
    var leaves = LeafPlan.whole(rows: 3)
    /// Of an LSTM.
    var projection: Int?
    var stateClip: StateClip?
    var lengths: [Int]?

    var description: String {
        "\(cell.rawValue) L\(layers)\(bidirectional ? " bi" : "") \(layout.rawValue) p\(dropout) P\(projection ?? 0) \(lengths ?? [])"
    }

    func make(inputSize: Int = 3, hidden: Int = 4) -> RecurrentLayer {
        .make(
            cell, hiddenSize: hidden, numLayers: layers, layout: layout, dropout: dropout,
            bidirectional: bidirectional, inputSize: inputSize, projectionSize: projection, stateClip: stateClip,
            dtype: .float64, useSequenceLength: lengths != nil, prefix: "net_")
    }

    static let all: [StackCase] =
        RecurrentKind.allCases.flatMap { cell in
            [
                StackCase(cell: cell), StackCase(cell: cell, layers: 2),
                StackCase(cell: cell, layers: 2, bidirectional: true),
                StackCase(cell: cell, layers: 3, bidirectional: true, layout: .NTC, dropout: 0.4),
                StackCase(cell: cell, layers: 2, bidirectional: true, dropout: 0.3, lengths: [2, 4, 0]),
                StackCase(cell: cell, layout: .NTC, lengths: [1, 3, 3]),
            ]
        } + [
            StackCase(
                cell: .lstm, layers: 2, leaves: LeafPlan(leaves: [0..<1, 1..<2, 2..<3], subtrees: [0..<1, 1..<3])),
            StackCase(cell: .lstm, projection: 2),
            StackCase(cell: .lstm, layers: 2, bidirectional: true, projection: 6),
            StackCase(cell: .lstm, layers: 2, bidirectional: true, projection: 3, lengths: [4, 1, 2]),
            StackCase(cell: .lstm, layers: 2, stateClip: StateClip(lower: -0.1, upper: 0.2)),
            StackCase(
                cell: .lstm, bidirectional: true, projection: 2, stateClip: StateClip(lower: -0.15, upper: 0.1),
                lengths: [3, 0, 4]),
        ]
}

@Suite struct RecurrentLayerGradientTests {
    /// Objective: Σ y·w + Σ final states·v with fixed random w, v.
    @Test(arguments: StackCase.all) func everyGradientMatchesDifferences(_ stack: StackCase) {
        let layer = stack.make()
        layer.initialize(UniformInitializer(0.7), seed: 3)
        for parameter in layer.collectParameters() where parameter.shape.count == 1 {
            parameter.initialize(overriding: UniformInitializer(0.5), seed: 4)
        }
        let arena = ParameterArena(layer.collectParameters().reversed(), subtreeCount: stack.leaves.subtrees.count)
        var random = SeededRandom(seed: 8)
        func tensor(_ shape: [Int]) -> Tensor { Tensor(random.array(shape.reduce(1, *)), shape: shape) }
        let input = Variable(tensor(stack.layout == .TNC ? [4, 3, 3] : [3, 4, 3]), requiresGradient: true)
        let states = layer.stateInfo(batchSize: 3).map { Variable(tensor($0.shape), requiresGradient: true) }
        let tape = Tape()
        var context = ForwardContext(
            tape: tape, isTraining: true, leaves: stack.leaves, random: RandomKey(seed: 1, step: 2))
        let result = layer(input, states: states, sequenceLength: stack.lengths, context)
        let outputs = [result.output] + result.states
        let weights = outputs.map { tensor($0.shape) }
        tape.backward(from: zip(outputs, weights).map { ($0, $1.copy()) })
        context.tape = nil

        let objective = {
            let again = layer(input, states: states, sequenceLength: stack.lengths, context)
            return zip([again.output] + again.states, weights).reduce(0.0) { sum, pair in
                zip(pair.0.value.elements(as: Double.self), pair.1.elements(as: Double.self))
                    .reduce(sum) { $0 + $1.0 * $1.1 }
            }
        }
        // Relative to the largest gradient of the tensor; the objective sums some dozens of terms of order one.
        let tolerance = 256 * GradientCheck.tolerance
        func check(_ name: String, _ values: Tensor, _ gradient: [Double]?, changed: () -> Void = {}) {
            guard let gradient else {
                Issue.record("\(name): no gradient")
                return
            }
            let memory = values.pointer(of: Double.self)
            let start = values.elements(as: Double.self)
            let expected = GradientCheck.centralDifferences(at: start) { point in
                memory.update(from: point, count: point.count)
                changed()
                return objective()
            }
            memory.update(from: start, count: start.count)
            changed()
            if let problem = Tolerance.violation(name, gradient, expected, tolerance: tolerance) {
                Issue.record("\(problem)")
            }
        }
        check("input", input.value, input.gradient?.doubles())
        for (index, state) in states.enumerated() {
            check("state \(index)", state.value, state.gradient?.doubles())
        }
        for slot in arena.slots {
            let parameter = slot.parameter
            let sum = parameter.gradients.dropFirst().reduce(parameter.gradients[0].doubles()) {
                zip($0, $1.doubles()).map { $0 + $1 }
            }
            check(parameter.name, parameter.data, sum) { parameter.markChanged() }
        }
    }

    @Test func aStateReadTwiceCollectsBothGradients() {
        let layer = GRU(hiddenSize: 2, inputSize: 2, dtype: .float64, prefix: "g_")
        layer.initialize(seed: 1)
        let arena = ParameterArena(layer.collectParameters())
        func gradient(copies: Int) -> [Double] {
            let tape = Tape()
            let context = ForwardContext(tape: tape, isTraining: true, leaves: .whole(rows: 1))
            let state = Variable(Tensor([0.3, -0.2], shape: [1, 1, 2]), requiresGradient: true)
            let input = Variable(Tensor([1.0, 2, 3, 4], shape: [2, 1, 2]))
            let outputs = (0..<copies).map { _ in layer(input, states: [state], context).output }
            tape.backward(from: outputs.map { ($0, Tensor(repeating: 1.0, shape: [2, 1, 2])) })
            return state.gradient?.doubles() ?? []
        }
        #expect(gradient(copies: 2) == gradient(copies: 1).map { 2 * $0 })
        withExtendedLifetime(arena) {}
    }
}
