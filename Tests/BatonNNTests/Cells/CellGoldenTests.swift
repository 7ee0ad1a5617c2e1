import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

/// Cells and containers against what MXNet 1.9.1 computed in f64: outputs, states and every gradient, with and
/// without lengths.
@Suite struct CellGoldenTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens/mxnet-cells.golden")

    private static let cases =
        ["tanh", "relu", "sigmoid", "softsign", "softrelu"].map { "rnn-\($0)" }
        + ["lstm", "lstm-softsign", "gru", "lstmp", "sequential", "residual", "bidirectional", "deep"]

    private func makeCell(_ name: String) throws -> RecurrentCell {
        func lstm(_ size: Int) -> LSTMCell { LSTMCell(hiddenSize: size, dtype: .float64) }
        func gru(_ size: Int) -> GRUCell { GRUCell(hiddenSize: size, dtype: .float64) }
        func rnn(_ size: Int) -> RNNCell { RNNCell(hiddenSize: size, dtype: .float64) }
        switch name {
        case "lstm": return lstm(2)
        case "lstm-softsign": return LSTMCell(hiddenSize: 2, activation: .softsign, dtype: .float64)
        case "gru": return gru(2)
        case "lstmp": return LSTMPCell(hiddenSize: 3, projectionSize: 2, dtype: .float64)
        case "sequential": return SequentialRNNCell([lstm(2), gru(3)])
        case "residual": return ResidualCell(gru(3))
        case "bidirectional": return BidirectionalCell(lstm(2), HybridSequentialRNNCell([rnn(2), gru(1)]))
        case "deep":
            return SequentialRNNCell([
                BidirectionalCell(gru(1), gru(2)), DropoutCell(rate: 0.5),
                ResidualCell(BidirectionalCell(rnn(2), rnn(1))),
            ])
        default:
            let activation = try ActivationFunction(named: String(name.dropFirst(4)))
            return RNNCell(hiddenSize: 2, activation: activation, dtype: .float64)
        }
    }

    private func tensor(_ golden: GoldenFile, _ name: String) throws -> Tensor {
        let stored = try golden.tensor(name)
        return Tensor(stored.values, shape: stored.shape)
    }

    @Test(arguments: [false, true]) func outputsStatesAndGradientsAreMXNets(_ hybridized: Bool) throws {
        let golden = try GoldenFile(Self.file)
        var compared = 0
        for name in Self.cases {
            for label in [name, name + "-lengths"] where golden.tensors["\(label)|input|x"] != nil {
                let cell = try makeCell(name)
                if hybridized { cell.hybridize() }
                compared += try compare(cell, label, golden)
            }
        }
        #expect(compared == golden.tensors.count)
    }

    private func compare(_ cell: RecurrentCell, _ label: String, _ golden: GoldenFile) throws -> Int {
        func names(_ kind: String) -> [String] {
            golden.tensors.keys.filter { $0.hasPrefix("\(label)|\(kind)|") }.sorted()
        }
        func all(_ kind: String) throws -> [Tensor] { try names(kind).map { try tensor(golden, $0) } }
        try cell.load(
            names("parameter").map { (String($0.split(separator: "|")[2]), try tensor(golden, $0)) })
        let x = Variable(try tensor(golden, "\(label)|input|x"), requiresGradient: true)
        let states = try all("state").map { Variable($0, requiresGradient: true) }
        let lengths = try all("length").first
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: x.shape[0]))
        let result = cell.unroll(
            x, beginState: states, layout: .NTC, mergeOutputs: true, validLength: lengths, context)
        let values = [result.outputs.merged] + result.states
        var actual = ["\(label)|output|y": values[0].value.doubles()]
        for (index, final) in result.states.enumerated() { actual["\(label)|final|\(index)"] = final.value.doubles() }
        let weights = try all("weight")
        #expect(weights.count == values.count, "\(label)")
        tape.backward(from: zip(values, weights).map { ($0, $1) })
        actual["\(label)|input-gradient|x"] = x.gradient?.doubles()
        for (index, state) in states.enumerated() {
            actual["\(label)|state-gradient|\(index)"] = state.gradient?.doubles()
        }
        for (name, parameter) in cell.namedParameters() {
            actual["\(label)|parameter-gradient|\(name)"] = parameter.gradient.doubles()
        }
        for (name, values) in actual {
            let expected = try golden.tensor(name).values
            // MXNet sums in another order; everything here is of order one.
            if let problem = Tolerance.violation(name, values, expected, scale: 1, tolerance: 1e-12) {
                Issue.record("\(problem)")
            }
        }
        let given = ["parameter", "input", "state", "length", "weight"].reduce(0) { $0 + names($1).count }
        return given + actual.count
    }
}
