import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

@testable import BatonEngine

/// Loss and all gradients of the whole language model against the f64 oracle.
@Suite struct LanguageModelGradientTests {
    @Test(arguments: RecurrentKind.allCases, [1, 11])
    func lossAndGradientsAreTheOracles(cell: RecurrentKind, rows: Int) throws {
        let (vocabulary, width, hidden, layers, steps) = (13, 6, 19, 2, 5)
        let model = LanguageModel(
            try LanguageModelConfiguration(
                cell: cell, vocabularySize: vocabulary, embedding: width, hidden: hidden, layers: layers, dropout: 0),
            seed: 3)
        let arena = ParameterArena(model.parameters.reversed(), subtreeCount: 1)
        let ids = TinyRun.tokens(count: steps * rows)
        let labels = TinyRun.tokens(count: 2 * steps * rows).suffix(steps * rows)
        let tape = Tape()
        arena.beginStep()
        let context = ForwardContext.training(rows: rows, tape: tape)
        let (logits, _) = model(
            Tensor(ids, shape: [steps, rows]), states: model.beginState(batchSize: rows), context)
        let scale = 1 / Double(steps * rows)
        let loss = context.softmaxCrossEntropy(
            logits, targets: Tensor(Array(labels), shape: [steps, rows]), gradientScale: scale)
        tape.backward(from: [try #require(loss.seed)])

        func values(_ name: String) -> [Double] {
            let found = model.pyTorchNames.first { $0.name == name }
            return found.map { $0.parameter.data.elements(as: Float.self).map(Double.init) } ?? []
        }
        let table = values("embedding.weight")
        let embedded = ids.flatMap { table[Int($0) * width..<(Int($0) + 1) * width] }
        let oracleCell = try #require(OracleCell(rawValue: cell.rawValue))
        let stack = OracleStack(
            layers: (0..<layers).map { layer in
                [
                    OracleLayer(
                        oracleCell, inputSize: layer == 0 ? width : hidden, hidden: hidden,
                        parameters: OracleParameters(
                            inputWeight: values("rnn.weight_ih_l\(layer)"),
                            hiddenWeight: values("rnn.weight_hh_l\(layer)"),
                            inputBias: values("rnn.bias_ih_l\(layer)"), hiddenBias: values("rnn.bias_hh_l\(layer)")))
                ]
            })
        let decoder = OracleLinear(
            units: vocabulary, width: hidden, weight: values("decoder.weight"), bias: values("decoder.bias"))
        let forward = stack.forward(embedded, steps: steps, batch: rows)
        let oracleLogits = decoder.forward(forward.output)
        let oracleLabels = labels.map { Int($0) }
        let oracleLoss = OracleCrossEntropy.losses(oracleLogits, labels: oracleLabels).reduce(0, +)
        let down = decoder.backward(
            forward.output,
            outputGradient: OracleCrossEntropy.gradient(
                oracleLogits, labels: oracleLabels, weights: oracleLabels.map { _ in scale }))
        let back = stack.backward(forward, outputGradient: down.input)
        var tableGradient = table.map { _ in 0.0 }
        for (row, id) in ids.enumerated() {
            for unit in 0..<width { tableGradient[Int(id) * width + unit] += back.input[row * width + unit] }
        }
        var expected: [String: [Double]] = [
            "embedding.weight": tableGradient, "decoder.weight": down.weight, "decoder.bias": down.bias,
        ]
        for (layer, parameters) in back.parameters.enumerated() {
            expected["rnn.weight_ih_l\(layer)"] = parameters[0].inputWeight
            expected["rnn.weight_hh_l\(layer)"] = parameters[0].hiddenWeight
            expected["rnn.bias_ih_l\(layer)"] = parameters[0].inputBias
            expected["rnn.bias_hh_l\(layer)"] = parameters[0].hiddenBias
        }

        let epsilon = Double(Float.ulpOfOne)
        let sum = loss.leafSums.reduce(0, +)
        #expect(abs(sum - oracleLoss) <= Tolerance.relative(epsilon: epsilon, depth: steps * hidden) * oracleLoss)
        // An element adds steps · rows products, each of which came down layers · (steps + 1) products of H terms.
        let tolerance = Tolerance.relative(
            epsilon: epsilon, depth: steps * rows * layers * (steps + 1) * hidden, backward: true)
        for (name, parameter) in model.pyTorchNames {
            let range = try #require(arena.range(of: parameter))
            let gradient = arena.gradients[0].elements(as: Float.self)[range].map(Double.init)
            let problem = Tolerance.violation(name, gradient, try #require(expected[name]), tolerance: tolerance)
            #expect(problem == nil)
        }
        #expect(model.pyTorchNames.count == expected.count)
        #expect(model.pyTorchNames.map(\.parameter.shape) == model.configuration.parameterShapes.map(\.shape))
        #expect(model.pyTorchNames.map(\.name) == model.configuration.parameterShapes.map(\.name))
    }
}
