import BatonTestSupport
import Testing

/// The oracle against central differences: every input, state and parameter of every cell, each by itself.
@Suite struct OracleTests {
    static let cases = OracleCell.allCases.flatMap { cell in [false, true].map { (cell, $0) } }

    private func check(
        _ name: String, _ gradient: [Double], at point: [Double], _ function: ([Double]) -> Double
    ) -> String? {
        Tolerance.violation(
            name, gradient, GradientCheck.centralDifferences(at: point, function),
            tolerance: GradientCheck.tolerance)
    }

    @Test(arguments: cases)
    func `the layer's gradients are the central differences of its output`(cell: OracleCell, reverse: Bool) {
        let (steps, batch, width, hidden) = (4, 2, 3, 5)
        var random = SeededRandom(seed: 7)
        let layer = OracleLayer(
            cell, inputSize: width, hidden: hidden, reverse: reverse,
            parameters: .random(cell, inputSize: width, hidden: hidden, using: &random))
        let input = random.array(steps * batch * width)
        let h0 = random.array(batch * hidden)
        let c0 = random.array(batch * hidden)
        let dy = random.array(steps * batch * hidden)
        let dh = random.array(batch * hidden)
        let dc = random.array(batch * hidden)
        func value(_ layer: OracleLayer, _ input: [Double], _ h0: [Double], _ c0: [Double]) -> Double {
            let result = layer.forward(input, steps: steps, batch: batch, initialHidden: h0, initialCell: c0)
            return dot(result.output, dy) + dot(result.finalHidden, dh) + dot(result.finalCell, dc)
        }
        let result = layer.forward(input, steps: steps, batch: batch, initialHidden: h0, initialCell: c0)
        let back = layer.backward(
            result, outputGradient: dy, finalHiddenGradient: dh, finalCellGradient: cell == .lstm ? dc : nil)
        #expect(check("input", back.input, at: input) { value(layer, $0, h0, c0) } == nil)
        #expect(check("initial h", back.initialHidden, at: h0) { value(layer, input, $0, c0) } == nil)
        if cell == .lstm {
            #expect(check("initial c", back.initialCell, at: c0) { value(layer, input, h0, $0) } == nil)
        }
        let paths: [(String, WritableKeyPath<OracleParameters, [Double]>)] = [
            ("W", \.inputWeight), ("U", \.hiddenWeight), ("b", \.inputBias), ("q", \.hiddenBias),
        ]
        for (name, path) in paths {
            let violation = check(name, back.parameters[keyPath: path], at: layer.parameters[keyPath: path]) {
                var moved = layer
                moved.parameters[keyPath: path] = $0
                return value(moved, input, h0, c0)
            }
            #expect(violation == nil)
        }
    }

    @Test func `an LSTM step with one unit follows the equations digit by digit`() {
        // W = (1, 2, 3, 4), U = 0, b = (0, 0, 0, 0), x = 0.5, c = 2: i = σ(0.5), f = σ(1), g = tanh 1.5, o = σ(2).
        let layer = OracleLayer(
            .lstm, inputSize: 1, hidden: 1,
            parameters: OracleParameters(
                inputWeight: [1, 2, 3, 4], hiddenWeight: [0, 0, 0, 0], inputBias: [0, 0, 0, 0],
                hiddenBias: [0, 0, 0, 0]))
        let result = layer.forward([0.5], steps: 1, batch: 1, initialHidden: [9], initialCell: [2])
        // 0.7310585786·2 + 0.6224593312·0.9051482536 and 0.8807970780 times its tanh, computed apart.
        #expect(abs(result.finalCell[0] - 2.0255351339) < 1e-9)
        #expect(abs(result.finalHidden[0] - 0.8506631970) < 1e-9)
    }

    @Test func `the GRU keeps its state when the update gate is open and takes the candidate when it is shut`() {
        func final(updateBias: Double) -> Double {
            OracleLayer(
                .gru, inputSize: 1, hidden: 1,
                parameters: OracleParameters(
                    inputWeight: [0, 0, 0], hiddenWeight: [0, 0, 0], inputBias: [0, updateBias, 0.25],
                    hiddenBias: [0, 0, 0.5])
            ).forward([0], steps: 1, batch: 1, initialHidden: [0.75]).finalHidden[0]
        }
        #expect(abs(final(updateBias: 60) - 0.75) < 1e-15)
        // n = tanh(0.25 + ½·0.5): the recurrent bias stands inside the reset product.
        #expect(abs(final(updateBias: -60) - 0.46211715726) < 1e-10)
    }

    @Test(arguments: OracleCell.allCases)
    func `a bidirectional stack's gradients are the central differences of its output`(cell: OracleCell) {
        let (steps, batch, width, hidden) = (3, 2, 2, 3)
        var random = SeededRandom(seed: 11)
        let stack = OracleStack.random(
            cell, layers: 2, directions: 2, inputSize: width, hidden: hidden, using: &random)
        let input = random.array(steps * batch * width)
        let h0 = random.array(4 * batch * hidden)
        let dy = random.array(steps * batch * 2 * hidden)
        let dh = random.array(4 * batch * hidden)
        func value(_ stack: OracleStack, _ input: [Double], _ h0: [Double]) -> Double {
            let result = stack.forward(input, steps: steps, batch: batch, initialHidden: h0)
            return dot(result.output, dy) + dot(result.finalHidden, dh)
        }
        let result = stack.forward(input, steps: steps, batch: batch, initialHidden: h0)
        let back = stack.backward(result, outputGradient: dy, finalHiddenGradient: dh)
        #expect(check("input", back.input, at: input) { value(stack, $0, h0) } == nil)
        #expect(check("initial h", back.initialHidden, at: h0) { value(stack, input, $0) } == nil)
        for (l, d) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let gradient = back.parameters[l][d].inputWeight
            let violation = check("W of \(l), \(d)", gradient, at: stack.layers[l][d].parameters.inputWeight) {
                var moved = stack
                moved.layers[l][d].parameters.inputWeight = $0
                return value(moved, input, h0)
            }
            #expect(violation == nil)
        }
    }

    @Test func `a reverse layer is the forward layer on the sequence turned round`() {
        var random = SeededRandom(seed: 3)
        let parameters = OracleParameters.random(.gru, inputSize: 2, hidden: 3, using: &random)
        let input = random.array(5 * 2)
        let turned = stride(from: 8, through: 0, by: -2).flatMap { input[$0..<$0 + 2] }
        let reverse = OracleLayer(.gru, inputSize: 2, hidden: 3, reverse: true, parameters: parameters)
            .forward(input, steps: 5, batch: 1)
        let forward = OracleLayer(.gru, inputSize: 2, hidden: 3, parameters: parameters)
            .forward(turned, steps: 5, batch: 1)
        #expect(reverse.finalHidden == forward.finalHidden)
        #expect(Array(reverse.output[0..<3]) == Array(forward.output[12..<15]))
    }

    @Test func `the linear layer's and the loss's gradients are central differences`() {
        var random = SeededRandom(seed: 5)
        let (rows, width, units) = (3, 4, 5)
        let layer = OracleLinear(
            units: units, width: width, weight: random.array(units * width), bias: random.array(units))
        let input = random.array(rows * width)
        let labels = [4, 0, 2]
        let weights = [1.0, 0.5, 0.25]
        func value(_ layer: OracleLinear, _ input: [Double]) -> Double {
            dot(OracleCrossEntropy.losses(layer.forward(input), labels: labels), weights)
        }
        let dz = OracleCrossEntropy.gradient(layer.forward(input), labels: labels, weights: weights)
        let back = layer.backward(input, outputGradient: dz)
        #expect(check("x", back.input, at: input) { value(layer, $0) } == nil)
        let weight = check("W", back.weight, at: layer.weight) {
            value(OracleLinear(units: units, width: width, weight: $0, bias: layer.bias), input)
        }
        #expect(weight == nil)
        let bias = check("b", back.bias, at: layer.bias) {
            value(OracleLinear(units: units, width: width, weight: layer.weight, bias: $0), input)
        }
        #expect(bias == nil)
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}
