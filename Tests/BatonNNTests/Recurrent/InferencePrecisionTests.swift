import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Weights in reduced precision against float32 layers whose weights were rounded beforehand.
@Suite(.enabled(if: KernelSelection.active.backend == .packed, "reduced precision needs the packed kernels"))
struct InferencePrecisionTests {
    /// Steps, batch, input, hidden, layers, directions; odd depths, tails, tiles of every height.
    private static let sizes = [
        (3, 1, 5, 7, 1, 1), (4, 2, 16, 16, 2, 2), (2, 7, 33, 17, 1, 2), (3, 13, 8, 40, 2, 1), (1, 100, 3, 9, 1, 1),
        (2, 3, 513, 515, 1, 1),
    ]

    /// A layer with random parameters of at most `scale`.
    private func makeLayer(
        _ cell: RecurrentKind, hidden: Int, layers: Int, directions: Int, input: Int, scale: Double,
        _ random: inout SeededRandom
    ) -> RecurrentLayer {
        let layer = RecurrentLayer.make(
            cell, hiddenSize: hidden, numLayers: layers, bidirectional: directions == 2, inputSize: input)
        fillParameters(layer, &random, scale: scale)
        return layer
    }

    private func fillParameters(_ layer: RecurrentLayer, _ random: inout SeededRandom, scale: Double) {
        layer.initialize()
        for parameter in layer.collectParameters() {
            fill(parameter.data, &random, scale: scale)
            parameter.markChanged()
        }
    }

    private func fill(_ tensor: Tensor, _ random: inout SeededRandom, scale: Double) {
        let pointer = tensor.pointer(of: Float.self)
        for (index, value) in random.array(tensor.count).enumerated() { pointer[index] = Float(value * scale) }
    }

    private func output(_ layer: RecurrentLayer, _ input: Tensor) -> [Float] {
        let context = ForwardContext(leaves: .whole(rows: input.shape[1]))
        let states = layer.beginState(batchSize: input.shape[1])
        let (result, finals) = layer(Variable(input), states: states, context)
        return ([result] + finals).flatMap { variable in
            Array(UnsafeBufferPointer(start: variable.value.pointer(of: Float.self), count: variable.value.count))
        }
    }

    /// Outputs in reduced precision, and outputs in float32 of the layer with weights that `round` has changed.
    private func compare(
        _ cell: RecurrentKind, _ precision: WeightPrecision,
        round: (_ direction: RecurrentDirection) -> Void,
        check: (_ reduced: [Float], _ rounded: [Float], _ bound: Float) -> Void
    ) {
        for (steps, batch, input, hidden, layers, directions) in Self.sizes {
            var random = SeededRandom(seed: 5)
            let layer = makeLayer(
                cell, hidden: hidden, layers: layers, directions: directions, input: input,
                scale: 1 / Double(hidden).squareRoot(), &random)
            let sequence = Tensor(zeros: [steps, batch, input], dtype: .float32)
            fill(sequence, &random, scale: 1)
            layer.inferencePrecision = precision
            let reduced = output(layer, sequence)
            for direction in layer.directions {
                round(direction)
                for parameter in direction.parameters { parameter.markChanged() }
            }
            layer.inferencePrecision = .float32
            let terms = Double(max(input, directions * hidden) + hidden)
            let rounding = (terms + 2) * 0x1p-24 + (precision == .int8 ? 0x1.03p-8 : 0x1p-9)
            let bound = Double(steps * layers) * rounding * terms / Double(hidden).squareRoot()
            check(reduced, output(layer, sequence), Float(bound))
        }
    }

    private func worstDifference(_ reduced: [Float], _ rounded: [Float]) -> Float {
        Float(Tolerance.relativeError(reduced.map { Double($0) }, rounded.map { Double($0) }, scale: 1))
    }

    private func roundToBFloat16(_ direction: RecurrentDirection) {
        for weight in [direction.inputWeight, direction.hiddenWeight] { roundToBFloat16(weight.data) }
    }

    private func roundToBFloat16(_ tensor: Tensor) {
        let values = tensor.pointer(of: Float.self)
        for index in 0..<tensor.count { values[index] = nearestBFloat16(values[index]) }
    }

    /// Step by step: x and h rounded before they meet the weights, c as it is. The GRU, which takes h as it is beside z, in
    /// a first step only, from an h of few bits.
    @Test(arguments: RecurrentKind.allCases, [(1, 5, 7), (2, 512, 17), (7, 33, 40), (13, 8, 66), (100, 3, 9)])
    func bfloat16HasTheBitsOfFloat32WithRoundedOperands(_ cell: RecurrentKind, _ sizes: (Int, Int, Int)) {
        let (batch, input, hidden) = sizes
        let steps = cell == .gru ? 1 : 5
        var random = SeededRandom(seed: UInt64(input))
        let layer = makeLayer(
            cell, hidden: hidden, layers: 1, directions: 1, input: input, scale: 1 / Double(hidden).squareRoot(),
            &random)
        let sequence = Tensor(zeros: [steps, batch, input], dtype: .float32)
        fill(sequence, &random, scale: 1)
        let states = layer.beginState(batchSize: batch)
        for state in states { fill(state.value, &random, scale: 1) }
        roundToBFloat16(states[0].value)
        let context = ForwardContext(leaves: .whole(rows: batch))
        layer.inferencePrecision = .bfloat16
        let reduced = layer(Variable(sequence), states: states, context).0.value
        layer.inferencePrecision = .float32
        for direction in layer.directions {
            roundToBFloat16(direction)
            for parameter in direction.parameters { parameter.markChanged() }
        }
        roundToBFloat16(sequence)
        var before = states
        for t in 0..<steps {
            let x = Tensor(zeros: [1, batch, input], dtype: .float32)
            x.pointer(of: Float.self)
                .update(from: sequence.pointer(of: Float.self) + t * batch * input, count: batch * input)
            let (y, after) = layer(Variable(x), states: before, context)
            var isSame = true
            for index in 0..<batch * hidden {
                let step = reduced.pointer(of: Float.self)[t * batch * hidden + index]
                isSame = isSame && step.bitPattern == y.value.pointer(of: Float.self)[index].bitPattern
            }
            #expect(isSame, "step \(t)")
            before = after
            roundToBFloat16(before[0].value)
        }
    }

    /// Inputs and states, of at most 1, are rounded by 2⁻⁹ of themselves at most, which moves a sum of K products with weights
    /// of at most 1/√H by K/√H·2⁻⁹; on through T steps and L layers as below.
    @Test(arguments: [RecurrentKind.lstm, .gru, .rnnTanh])
    func bfloat16HasTheValuesOfRoundedWeights(_ cell: RecurrentKind) {
        compare(cell, .bfloat16, round: roundToBFloat16) { reduced, rounded, bound in
            let worst = worstDifference(reduced, rounded)
            #expect(worst <= bound && worst > 0, "worst difference \(worst), bound \(bound)")
        }
    }

    /// Whole stacks, coarsely, because they hand differences on; single steps are held to their formulas below. The scale
    /// stands outside the sum in one case and inside in the other, so the chains round differently: with K
    /// terms of at most 1/√H each by at most (K + 2)·2⁻²⁴·K/√H. Inputs and states, at most 1, are rounded to 1/127 of
    /// the greatest, which moves a sum by at most K/√H·2⁻⁸ and a little. The cells, whose derivatives by their sums and
    /// states are at most 1, hand that on for T steps and L layers.
    @Test(arguments: [RecurrentKind.lstm, .gru, .rnnTanh])
    func int8HasTheValuesOfQuantisedWeights(_ cell: RecurrentKind) {
        compare(cell, .int8) { direction in
            let (inputWeight, hiddenWeight) = (direction.inputWeight.data, direction.hiddenWeight.data)
            for row in 0..<inputWeight.shape[0] {
                let sides = [inputWeight, hiddenWeight].map { side in
                    UnsafeMutableBufferPointer(
                        start: side.pointer(of: Float.self) + row * side.shape[1], count: side.shape[1])
                }
                let greatest = sides.joined().map { abs($0) }.max() ?? 0
                let (scale, inverse) = (greatest / 127, 127 / greatest)
                for side in sides {
                    for index in side.indices {
                        side[index] = (side[index] * inverse).rounded(.toNearestOrEven) * scale
                    }
                }
            }
        } check: { reduced, rounded, bound in
            let worst = worstDifference(reduced, rounded)
            #expect(worst <= bound, "worst difference \(worst), bound \(bound)")
        }
    }

    /// One step of relu from zero, so that an output is its sum: against exact sums of integers, bit for bit.
    @Test(arguments: [(1, 5, 7), (2, 512, 17), (7, 513, 40), (13, 1027, 9), (100, 3, 66)])
    func int8HasTheBitsOfExactIntegerSums(_ batch: Int, _ input: Int, _ hidden: Int) {
        let isFused = KernelSelection.active.instructionSet != .baseline
        func multiplyAdd(_ a: Float, _ b: Float, _ c: Float) -> Float { isFused ? c.addingProduct(a, b) : a * b + c }
        let layer = RNN(hiddenSize: hidden, activation: .relu, inputSize: input)
        var random = SeededRandom(seed: UInt64(input))
        fillParameters(layer, &random, scale: 1)
        let sequence = Tensor(zeros: [1, batch, input], dtype: .float32)
        fill(sequence, &random, scale: 3)
        layer.inferencePrecision = .int8
        let outputs = output(layer, sequence)
        let direction = layer.directions[0]
        let oracle = QuantizedStepOracle(direction)
        for n in 0..<batch {
            let x = QuantizedStepOracle.row(
                Array(sequence.elements(as: Float.self)[n * input..<(n + 1) * input]))
            for unit in 0..<hidden {
                let weights = oracle.weights(gate: 0, unit: unit)
                let biases = [direction.inputBias, direction.hiddenBias]
                var sum = biases.reduce(Float(0)) { $0 + $1.data.pointer(of: Float.self)[unit] } / weights.scale
                for first in stride(from: 0, to: input, by: QuantizedStepOracle.pieceTerms) {
                    let terms = first..<min(first + QuantizedStepOracle.pieceTerms, input)
                    let total = terms.reduce(0) { $0 + x.integers[$1] * weights.input[$1] }
                    sum = multiplyAdd(x.scale, Float(total), sum)
                }
                #expect(outputs[n * hidden + unit] == max(0, weights.scale * sum), "row \(n), unit \(unit)")
            }
        }
    }

    /// Every step against its formulas, from the states that the step before really left; and the steps together, bit for
    /// bit.
    @Test(arguments: RecurrentKind.allCases, [(1, 5, 7), (2, 513, 17), (7, 33, 40), (13, 8, 66), (3, 100, 515)])
    func everyInt8StepHasTheValuesOfItsFormulas(_ cell: RecurrentKind, _ sizes: (Int, Int, Int)) {
        let (batch, input, hidden) = sizes
        let steps = 4
        var random = SeededRandom(seed: UInt64(hidden))
        let layer = makeLayer(
            cell, hidden: hidden, layers: 1, directions: 1, input: input, scale: 1 / Double(hidden).squareRoot(),
            &random)
        let sequence = Tensor(zeros: [steps, batch, input], dtype: .float32)
        fill(sequence, &random, scale: 1)
        var states = layer.beginState(batchSize: batch)
        for state in states { fill(state.value, &random, scale: 1) }
        layer.inferencePrecision = .int8
        let context = ForwardContext(leaves: .whole(rows: batch))
        let together = layer(Variable(sequence), states: states, context).0.value.elements(as: Float.self)
        let oracle = QuantizedStepOracle(layer.directions[0])
        for t in 0..<steps {
            let x = sequence[leading: t..<t + 1].copy()
            let (output, after) = layer(Variable(x), states: states, context)
            let values = output.value.elements(as: Float.self)
            let before = states.map { $0.value.elements(as: Float.self) }
            for n in 0..<batch {
                func row(_ all: [Float], _ width: Int) -> [Float] { Array(all[n * width..<(n + 1) * width]) }
                let expected = oracle.step(
                    input: row(x.elements(as: Float.self), input), hidden: row(before[0], hidden),
                    cell: before.count > 1 ? row(before[1], hidden) : [])
                var actual = [(row(values, hidden), expected.hidden)]
                if after.count > 1 {
                    actual.append((row(after[1].value.elements(as: Float.self), hidden), expected.cell))
                }
                for (found, wanted) in actual {
                    let wrong = zip(found, wanted).filter { !(abs(Double($0) - $1.value) <= $1.bound) }
                    #expect(wrong.isEmpty, "step \(t), row \(n): \(wrong.first.map { "\($0)" } ?? "")")
                }
            }
            let isSame = zip(values, together[t * batch * hidden..<(t + 1) * batch * hidden])
                .allSatisfy { $0.bitPattern == $1.bitPattern }
            #expect(isSame, "step \(t)")
            states = after
        }
    }

    @Test(arguments: RecurrentKind.allCases, [WeightPrecision.bfloat16, .int8])
    func outputsDoNotDependOnBatchMates(_ cell: RecurrentKind, _ precision: WeightPrecision) {
        let (steps, batch, input, hidden) = (3, 14, 33, 70)
        var random = SeededRandom(seed: 3)
        let layer = makeLayer(cell, hidden: hidden, layers: 2, directions: 2, input: input, scale: 0.2, &random)
        let sequence = Tensor(zeros: [steps, batch, input], dtype: .float32)
        fill(sequence, &random, scale: 1)
        layer.inferencePrecision = precision
        let whole = output(layer, sequence)
        let width = 2 * hidden
        for n in 0..<batch {
            let single = Tensor(zeros: [steps, 1, input], dtype: .float32)
            for t in 0..<steps {
                (single.pointer(of: Float.self) + t * input)
                    .update(from: sequence.pointer(of: Float.self) + (t * batch + n) * input, count: input)
            }
            let alone: [Float] = Array(output(layer, single).prefix(steps * width))
            var among: [Float] = []
            for t in 0..<steps { among += whole[(t * batch + n) * width..<(t * batch + n + 1) * width] }
            #expect(alone.map(\.bitPattern) == among.map(\.bitPattern), "row \(n)")
        }
    }

    /// Too small, zero, and not finite: rows whose scale is special.
    @Test func rowsOfInt8WithoutAScale() {
        let layer = RNN(hiddenSize: 3, activation: .relu, inputSize: 5)
        layer.initialize()
        for parameter in layer.collectParameters() {
            parameter.data.pointer(of: Float.self).update(repeating: 0.5, count: parameter.data.count)
            parameter.markChanged()
        }
        layer.inferencePrecision = .int8
        let sequence = Tensor(zeros: [1, 5, 5], dtype: .float32)
        for (n, value) in [Float(1e-38), 0, .infinity, .nan, 1].enumerated() {
            sequence.pointer(of: Float.self)[n * 5 + 2] = value
        }
        let outputs = output(layer, sequence)
        let biases: Float = outputs[3]
        #expect(biases.isFinite && biases > 0 && outputs[0] == biases)
        #expect(outputs[6].isNaN && outputs[9].isNaN && outputs[12] > biases)
    }

    /// Biases beside weights whose own scale would be no number to divide them by, and weights as they are beside none.
    @Test(arguments: RecurrentKind.allCases, [Float(0), 0x1p-149, 0x1p-133, 0x1p-123, 0x1p-103, 0x1p-67, 0.5])
    func rowsOfInt8WithTinyWeights(_ cell: RecurrentKind, _ weight: Float) {
        for bias in [Float(0), 1, 1e20, -1e38] { checkTinyWeights(cell, weight, bias) }
    }

    private func checkTinyWeights(_ cell: RecurrentKind, _ weight: Float, _ bias: Float) {
        let layer = RecurrentLayer.make(cell, hiddenSize: 3, numLayers: 1, inputSize: 5)
        layer.initialize()
        for parameter in layer.collectParameters() {
            let value = parameter.data.rank == 1 ? bias : weight
            parameter.data.pointer(of: Float.self).update(repeating: value, count: parameter.data.count)
            parameter.markChanged()
        }
        let input = Tensor(repeating: Float(0.75), shape: [1, 2, 5])
        let exact = output(layer, input)
        layer.inferencePrecision = .int8
        // Weights are equal, so that the greatest stands for them all; what 2⁻¹²⁶ and 2⁻⁶⁴ of a bias hide is far below.
        for (reduced, exact) in zip(output(layer, input), exact) {
            #expect(abs(reduced - exact) <= 0x1p-14 * abs(exact) + 0x1p-120, "\(reduced) for \(exact)")
        }
    }

    @Test(arguments: [Float(0), 0x1p-149, 0x1p-133], [Float(0), 1])
    func rowsOfInt8WithoutWeightsAreTheirBiases(_ weight: Float, _ bias: Float) {
        let layer = RNN(hiddenSize: 3, activation: .relu, inputSize: 5)
        layer.initialize()
        for parameter in layer.collectParameters() {
            let value = parameter.data.rank == 1 ? bias : weight
            parameter.data.pointer(of: Float.self).update(repeating: value, count: parameter.data.count)
            parameter.markChanged()
        }
        layer.inferencePrecision = .int8
        let outputs = output(layer, Tensor(repeating: Float(1), shape: [2, 2, 5]))
        #expect(outputs.allSatisfy { $0 == 2 * bias })
    }

    @Test func aRowWithNaNStaysNaN() {
        let layer = LSTM(hiddenSize: 4, inputSize: 3)
        layer.initialize()
        layer.directions[0].inputWeight.data.pointer(of: Float.self)[0] = .nan
        layer.directions[0].inputWeight.markChanged()
        for precision in WeightPrecision.allCases {
            layer.inferencePrecision = precision
            let result = output(layer, Tensor(repeating: Float(1), shape: [1, 1, 3]))
            #expect(result[0].isNaN && !result[1].isNaN, "\(precision)")
        }
    }

    @Test func trainingTakesTheParametersThemselves() {
        let layer = GRU(hiddenSize: 5, inputSize: 4)
        var random = SeededRandom(seed: 2)
        fillParameters(layer, &random, scale: 1)
        let input = Tensor(repeating: Float(0.3), shape: [2, 2, 4])
        let exact = output(layer, input)
        layer.inferencePrecision = .int8
        #expect(output(layer, input) != exact)
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: 2))
        ParameterArena(layer.collectParameters()).beginStep()
        let result = layer(Variable(input, requiresGradient: true), context).value
        #expect(
            Array(UnsafeBufferPointer(start: result.pointer(of: Float.self), count: result.count))
                == Array(exact.prefix(result.count)))
    }
}
