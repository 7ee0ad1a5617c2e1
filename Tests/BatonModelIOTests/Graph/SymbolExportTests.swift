import BatonFormats
import BatonKernelABI
import BatonKernels
import BatonModelIO
import BatonNN
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

/// What Baton exports gives the same results when it is imported again.
///
/// That MXNet 1.9.1 imports it as well, with equal results, is shown by launch/test-peers, for which `BATON_EXPORT_FOLDER`
/// makes these tests leave every graph there, with its inputs and results in `<name>-arrays.params`.
@Suite struct SymbolExportTests {
    private let context = ForwardContext.inference(rows: 2)

    private func input(_ shape: [Int], _ dtype: DType = .float32) -> Variable {
        var random = SeededRandom(seed: 7)
        return Variable(Tensor(doubles: random.array(shape.reduce(1, *)), shape: shape, dtype: dtype))
    }

    /// Exports, imports again, runs, and compares; bit for bit where the tolerance is 0.
    private func expectSame(
        _ name: String, _ inputs: [Variable], _ expected: [Variable], tolerance: Double = 0,
        _ write: (String) throws -> SymbolGraphFiles
    ) throws -> SymbolBlock {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        let files = try write(folder.file("net"))
        #expect(try folder.names() == ["net-0000.params", "net-symbol.json"])
        let block = try SymbolBlock.imports(files.symbol, parameters: files.parameters)
        let outputs = try block.run(inputs, context)
        #expect(outputs.map(\.shape) == expected.map(\.shape))
        for (output, reference) in zip(outputs, expected) {
            let violation = Tolerance.violation(
                name, output.value.doubles(), reference.value.doubles(), tolerance: tolerance)
            #expect(violation == nil)
        }
        if let kept = ProcessInfo.processInfo.environment["BATON_EXPORT_FOLDER"] {
            _ = try write("\(kept)/\(name)")
            var arrays = NamedTensors()
            for (index, input) in inputs.enumerated() { arrays["in\(index)"] = input.value }
            for (index, output) in expected.enumerated() { arrays["out\(index)"] = output.value }
            try MXNetParamsWriter.write(arrays, to: "\(kept)/\(name)-arrays.params")
        }
        return block
    }

    private func layers() -> [RecurrentLayer] {
        [
            RNN(hiddenSize: 3, numLayers: 2, activation: .relu, layout: .NTC),
            RNN(hiddenSize: 3, activation: .tanh, dtype: .float64),
            GRU(hiddenSize: 5, numLayers: 12, dropout: 0.2, bidirectional: true),
            LSTM(hiddenSize: 4, numLayers: 2, layout: .NTC, bidirectional: true, projectionSize: 3, prefix: ""),
            LSTM(hiddenSize: 4, dtype: .float64),
        ]
    }

    @Test func layersComeBackWithAndWithoutStates() throws {
        for (index, layer) in layers().enumerated() {
            layer.initialize(UniformInitializer(0.5), seed: 3)
            let x = input(layer.layout == .TNC ? [3, 2, 4] : [2, 3, 4], layer.dtype)
            let block = try expectSame("layer\(index)", [x], [layer(x, context)]) { try layer.export(to: $0) }
            #expect(block.inputNames == ["data"])
            let states = layer.stateInfo(batchSize: 2).map { input($0.shape, layer.dtype) }
            let (output, finals) = layer(x, states: states, context)
            let withStates = try expectSame("layer\(index)-states", [x] + states, [output] + finals) {
                try layer.export(to: $0, withStates: true)
            }
            #expect(withStates.inputNames == (0...states.count).map { "data\($0)" })
        }
    }

    @Test func aNetWithTiedWeightsComesBack() throws {
        let embedding = Embedding(inputDim: 9, outputDim: 4)
        let net = HybridSequential(
            prefix: nil,
            [
                embedding, Dropout(rate: 0.4), LSTM(hiddenSize: 6), Dense(units: 4, activation: .tanh),
                Dense(units: 9, useBias: false, weight: embedding.weight),
            ])
        net.initialize(UniformInitializer(0.5), seed: 3)
        let ids = Variable(Tensor([1, 2, 8, 0, 3, 3] as [Int64], shape: [3, 2]))
        let block = try expectSame("net", [ids], [net(ids, context)]) { try net.export(to: $0) }
        #expect(block.graph.nodes.count { $0.name == embedding.weight.name } == 1)
        #expect(block.collectParameters().count == net.collectParameters().count)
    }

    @Test(arguments: [SequenceLayout.NTC, .TNC], [false, true])
    func unrolledCellsComeBack(layout: SequenceLayout, withLengths: Bool) throws {
        let cells: [RecurrentCell] = [
            RNNCell(hiddenSize: 3, activation: .softsign), GRUCell(hiddenSize: 3),
            LSTMCell(hiddenSize: 3), LSTMPCell(hiddenSize: 3, projectionSize: 2),
            BidirectionalCell(LSTMCell(hiddenSize: 3), GRUCell(hiddenSize: 2)),
            HybridSequentialRNNCell([
                LSTMCell(hiddenSize: 4), ResidualCell(GRUCell(hiddenSize: 4)), DropoutCell(rate: 0.3),
                BidirectionalCell(RNNCell(hiddenSize: 2), LSTMCell(hiddenSize: 3)),
                ZoneoutCell(RNNCell(hiddenSize: 3), zoneoutOutputs: 0.1, zoneoutStates: 0.2),
                VariationalDropoutCell(GRUCell(hiddenSize: 2), dropInputs: 0.1, dropStates: 0.2, dropOutputs: 0.3),
            ]),
        ]
        let x = input(layout == .NTC ? [2, 3, 4] : [3, 2, 4])
        let lengths = Tensor([3, 1] as [Float], shape: [2])
        for (index, cell) in cells.enumerated() {
            cell.initialize(UniformInitializer(0.5), seed: 3)
            let expected = cell.unroll(
                x, layout: layout, mergeOutputs: true, validLength: withLengths ? lengths : nil, context
            ).outputs.merged
            _ = try expectSame(
                "cell\(index)-\(layout.rawValue)\(withLengths ? "-lengths" : "")",
                withLengths ? [x, Variable(lengths)] : [x], [expected],
                tolerance: Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: 3 * 4 * 10)
            ) { try cell.exportUnrolled(to: $0, steps: 3, layout: layout, withLengths: withLengths) }
        }
    }

    @Test func whatHasNoFormIsRefusedWithTheRemedy() throws {
        func message(_ write: (String) throws -> SymbolGraphFiles) -> String {
            do {
                let folder = try CheckpointFolder()
                defer { folder.remove() }
                _ = try write(folder.file("net"))
            } catch { return "\(error)" }
            return "none"
        }
        let clipped = LSTM(hiddenSize: 2, inputSize: 3, stateClip: StateClip(lower: -1, upper: 1))
        clipped.initialize()
        #expect(message { try clipped.export(to: $0) }.contains("ignores on the CPU"))
        #expect(message { try LSTM(hiddenSize: 2, inputSize: 3).export(to: $0) }.contains("has no values"))
        #expect(
            message { try Dense(units: 2, inUnits: 3).export(to: $0, withStates: true) }.contains("no recurrent layer"))
        let original = GRUCell(hiddenSize: 2, inputSize: 3, resetAfter: false)
        original.initialize()
        #expect(message { try original.exportUnrolled(to: $0, steps: 2) }.contains("usual form"))
        let custom = RNNCell(hiddenSize: 2, activation: .leakyRelu(slope: 0.1), inputSize: 3)
        custom.initialize()
        #expect(message { try custom.exportUnrolled(to: $0, steps: 2) }.contains("the function"))
        #expect(message { try custom.exportUnrolled(to: $0, steps: 0) }.contains("0 steps"))
    }
}
