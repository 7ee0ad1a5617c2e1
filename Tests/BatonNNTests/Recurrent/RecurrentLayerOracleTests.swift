import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Stacks against the independent oracle, in both element types: outputs, states, and every gradient.
@Suite struct RecurrentLayerOracleTests {
    private struct Size: Sendable, CustomStringConvertible {
        var steps: Int
        var batch: Int
        var inputSize: Int
        var hidden: Int
        var layers: Int
        var directions: Int
        /// Of an LSTM.
        var projection: Int?
        var stateClip: StateClip?
        var lengths: [Int]?
        var description: String {
            "T\(steps) N\(batch) C\(inputSize) H\(hidden) L\(layers) D\(directions) P\(projection ?? 0) "
                + "clip \(stateClip != nil) \(lengths ?? [])"
        }

        static let all = [
            Size(steps: 5, batch: 3, inputSize: 4, hidden: 6, layers: 3, directions: 2),
            Size(steps: 4, batch: 9, inputSize: 20, hidden: 17, layers: 2, directions: 2),
            Size(steps: 7, batch: 1, inputSize: 5, hidden: 33, layers: 2, directions: 1),
            Size(steps: 1, batch: 6, inputSize: 3, hidden: 16, layers: 1, directions: 2),
            Size(
                steps: 5, batch: 4, inputSize: 4, hidden: 6, layers: 2, directions: 2, projection: 3,
                stateClip: StateClip(lower: -0.2, upper: 0.3), lengths: [3, 0, 5, 1]),
            Size(
                steps: 6, batch: 17, inputSize: 20, hidden: 18, layers: 3, directions: 1, projection: 25,
                lengths: (0..<17).map { $0 * 5 % 7 }),
            Size(steps: 3, batch: 2, inputSize: 2, hidden: 5, layers: 12, directions: 2, lengths: [2, 3]),
        ]
    }

    private func makeLayer(_ cell: OracleCell, _ size: Size, _ dtype: DType) throws -> RecurrentLayer {
        let kind = try #require(RecurrentKind(rawValue: cell.rawValue))
        return .make(
            kind, hiddenSize: size.hidden, numLayers: size.layers, bidirectional: size.directions == 2,
            inputSize: size.inputSize, projectionSize: kind == .lstm ? size.projection : nil,
            stateClip: kind == .lstm ? size.stateClip : nil, dtype: dtype, useSequenceLength: size.lengths != nil,
            prefix: "net_")
    }

    /// In the order i2h_weight, h2h_weight, i2h_bias, h2h_bias, h2r_weight.
    private func list(_ parameters: OracleParameters) -> [[Double]] {
        [
            parameters.inputWeight, parameters.hiddenWeight, parameters.inputBias, parameters.hiddenBias,
            parameters.projectionWeight,
        ]
    }

    @Test(arguments: OracleCell.allCases, [DType.float32, .float64])
    func outputsStatesAndGradientsMatch(_ cell: OracleCell, _ dtype: DType) throws {
        for size in Size.all { try compare(cell, size, dtype) }
    }

    private func compare(_ cell: OracleCell, _ size: Size, _ dtype: DType) throws {
        var random = SeededRandom(seed: 21)
        // Rounded to f32 first, so that both sides start from the same numbers.
        func draw(_ count: Int) -> [Double] { random.array(count).map { Double(Float($0)) } }
        let layer = try makeLayer(cell, size, dtype)
        var oracle = OracleStack.random(
            cell, layers: size.layers, directions: size.directions, inputSize: size.inputSize, hidden: size.hidden,
            projection: cell == .lstm ? size.projection : nil,
            clip: cell == .lstm ? size.stateClip.map { OracleClip(lower: $0.lower, upper: $0.upper) } : nil,
            using: &random)
        for direction in layer.directions {
            let side = direction.isReverse ? 1 : 0
            let rounded = oracle.layers[direction.layer][side].parameters.map { Double(Float($0)) }
            oracle.layers[direction.layer][side].parameters = rounded
            let values = list(rounded)
            for (parameter, numbers) in zip(direction.parameters, values) {
                parameter.setData(Tensor(doubles: numbers, shape: parameter.shape, dtype: dtype))
            }
        }
        let arena = ParameterArena(layer.collectParameters().reversed())
        let inputShape = [size.steps, size.batch, size.inputSize]
        let stateShapes = layer.stateInfo(batchSize: size.batch).map(\.shape)
        let outputShape = [size.steps, size.batch, size.directions * layer.outputSize]
        func tensor(_ numbers: [Double], _ shape: [Int]) -> Tensor {
            Tensor(doubles: numbers, shape: shape, dtype: dtype)
        }
        let input = draw(inputShape.reduce(1, *))
        let states = stateShapes.map { draw($0.reduce(1, *)) }
        let outputGradient = draw(outputShape.reduce(1, *))
        let stateGradients = states.map { draw($0.count) }

        let tape = Tape()
        let x = Variable(tensor(input, inputShape), requiresGradient: true)
        let initial = zip(states, stateShapes).map { Variable(tensor($0, $1), requiresGradient: true) }
        let result = layer(
            x, states: initial, sequenceLength: size.lengths,
            .training(rows: size.batch, tape: tape, random: RandomKey(seed: 0)))
        let seeds = [(result.output, tensor(outputGradient, outputShape))]
        tape.backward(
            from: seeds + zip(result.states, stateGradients).map { ($0, tensor($1, $0.shape)) })

        let isLSTM = cell == .lstm
        let expected = oracle.forward(
            input, steps: size.steps, batch: size.batch, initialHidden: states[0],
            initialCell: isLSTM ? states[1] : nil, lengths: size.lengths)
        let gradients = oracle.backward(
            expected, outputGradient: outputGradient, finalHiddenGradient: stateGradients[0],
            finalCellGradient: isLSTM ? stateGradients[1] : nil)
        let epsilon = dtype == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
        let depth = size.steps * size.layers * (size.inputSize + 2 * size.hidden + (size.projection ?? 0))
        func check(_ name: String, _ actual: [Double]?, _ wanted: [Double], backward: Bool) {
            let tolerance = Tolerance.relative(
                epsilon: epsilon, depth: backward ? depth * size.batch : depth, backward: backward)
            if let problem = Tolerance.violation(
                "\(cell) \(size) \(name)", actual ?? [], wanted, tolerance: tolerance)
            {
                Issue.record("\(problem)")
            }
        }
        check("output", result.output.value.doubles(), expected.output, backward: false)
        check("h", result.states[0].value.doubles(), expected.finalHidden, backward: false)
        check("dx", x.gradient?.doubles(), gradients.input, backward: true)
        check("dh0", initial[0].gradient?.doubles(), gradients.initialHidden, backward: true)
        if isLSTM {
            check("c", result.states[1].value.doubles(), expected.finalCell, backward: false)
            check("dc0", initial[1].gradient?.doubles(), gradients.initialCell, backward: true)
        }
        for direction in layer.directions {
            let wanted = list(gradients.parameters[direction.layer][direction.isReverse ? 1 : 0])
            for (parameter, numbers) in zip(direction.parameters, wanted) {
                check(parameter.name, parameter.gradients[0].doubles(), numbers, backward: true)
            }
        }
        withExtendedLifetime(arena) {}
    }
}
