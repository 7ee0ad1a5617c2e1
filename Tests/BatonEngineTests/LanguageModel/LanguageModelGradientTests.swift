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
        let labels = Array(TinyRun.tokens(count: 2 * steps * rows).suffix(steps * rows))
        let tape = Tape()
        arena.beginStep()
        let context = ForwardContext.training(rows: rows, tape: tape, random: RandomKey(seed: 0))
        let (logits, _) = model(
            Tensor(ids, shape: [steps, rows]), states: model.beginState(batchSize: rows), context)
        let loss = context.softmaxCrossEntropy(
            logits, targets: Tensor(labels, shape: [steps, rows]), gradientScale: 1 / Double(steps * rows))
        tape.backward(from: [try #require(loss.seed)])
        let expected = try oracle(model, ids.map { Int($0) }, labels: labels.map { Int($0) }, steps: steps, rows: rows)

        let epsilon = Double(Float.ulpOfOne)
        let sum = loss.leafSums.reduce(0, +)
        #expect(abs(sum - expected.loss) <= Tolerance.relative(epsilon: epsilon, depth: steps * hidden) * expected.loss)
        // An element adds steps · rows products, each of which came down layers · (steps + 1) products of H terms.
        let tolerance = Tolerance.relative(
            epsilon: epsilon, depth: steps * rows * layers * (steps + 1) * hidden, backward: true)
        for (name, parameter) in model.pyTorchNames {
            let range = try #require(arena.range(of: parameter))
            let gradient = arena.gradients[0].elements(as: Float.self)[range].map(Double.init)
            let problem = Tolerance.violation(
                name, gradient, try #require(expected.gradients[name]), tolerance: tolerance)
            #expect(problem == nil)
        }
        #expect(model.pyTorchNames.count == expected.gradients.count)
        #expect(model.pyTorchNames.map(\.parameter.shape) == model.configuration.parameterShapes.map(\.shape))
        #expect(model.pyTorchNames.map(\.name) == model.configuration.parameterShapes.map(\.name))
    }

    /// The sum of the losses of all tokens, and the gradients of their mean by PyTorch's names.
    private func oracle(
        _ model: LanguageModel, _ ids: [Int], labels: [Int], steps: Int, rows: Int
    ) throws -> (loss: Double, gradients: [String: [Double]]) {
        let sizes = model.configuration
        func values(_ name: String) -> [Double] {
            let found = model.pyTorchNames.first { $0.name == name }
            return found.map { $0.parameter.data.elements(as: Float.self).map(Double.init) } ?? []
        }
        let cell = try #require(OracleCell(rawValue: sizes.cell.rawValue))
        let stack = OracleStack(
            layers: (0..<sizes.layers).map { layer in
                [
                    OracleLayer(
                        cell, inputSize: layer == 0 ? sizes.embedding : sizes.hidden, hidden: sizes.hidden,
                        parameters: OracleParameters(
                            inputWeight: values("rnn.weight_ih_l\(layer)"),
                            hiddenWeight: values("rnn.weight_hh_l\(layer)"),
                            inputBias: values("rnn.bias_ih_l\(layer)"), hiddenBias: values("rnn.bias_hh_l\(layer)")))
                ]
            })
        let decoder = OracleLinear(
            units: sizes.vocabularySize, width: sizes.hidden, weight: values("decoder.weight"),
            bias: values("decoder.bias"))
        let (table, width) = (values("embedding.weight"), sizes.embedding)
        let embedded = ids.flatMap { table[$0 * width..<($0 + 1) * width] }
        let forward = stack.forward(embedded, steps: steps, batch: rows)
        let logits = decoder.forward(forward.output)
        let down = decoder.backward(
            forward.output,
            outputGradient: OracleCrossEntropy.gradient(
                logits, labels: labels, weights: labels.map { _ in 1 / Double(labels.count) }))
        let back = stack.backward(forward, outputGradient: down.input)
        var tableGradient = table.map { _ in 0.0 }
        for (row, id) in ids.enumerated() {
            for unit in 0..<width { tableGradient[id * width + unit] += back.input[row * width + unit] }
        }
        var gradients: [String: [Double]] = [
            "embedding.weight": tableGradient, "decoder.weight": down.weight, "decoder.bias": down.bias,
        ]
        for (layer, parameters) in back.parameters.enumerated() {
            gradients["rnn.weight_ih_l\(layer)"] = parameters[0].inputWeight
            gradients["rnn.weight_hh_l\(layer)"] = parameters[0].hiddenWeight
            gradients["rnn.bias_ih_l\(layer)"] = parameters[0].inputBias
            gradients["rnn.bias_hh_l\(layer)"] = parameters[0].hiddenBias
        }
        return (OracleCrossEntropy.losses(logits, labels: labels).reduce(0, +), gradients)
    }
}
