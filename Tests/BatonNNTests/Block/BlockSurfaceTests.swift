import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// y = 2·x, a block that is not hybrid.
private final class Doubling: Block {
    init() { super.init(BlockOutline(prefix: "doubling_", hint: "doubling")) }
    override func forward(_ input: Variable, _ context: ForwardContext) -> Variable { context.scale(input, by: 2) }
}

@Suite struct BlockSurfaceTests {
    private func makeNet() -> HybridSequential {
        let net = HybridSequential(prefix: "net_")
        net.nameScope {
            net.add(Embedding(inputDim: 20, outputDim: 5, layout: .NTC))
            net.add(LSTM(hiddenSize: 6, layout: .NTC))
            net.add(Dropout(rate: 0.3, layout: .NTC))
            net.add(Dense(units: 3, activation: .relu, layout: .NTC))
        }
        return net
    }

    @Test func descriptionsAreGluons() {
        #expect(
            makeNet().description
                == "HybridSequential(\n  (0): Embedding(20 -> 5, float32)\n  (1): LSTM(None -> 6, NTC)\n  (2): Dropout(p = 0.3, axes=())\n  (3): Dense(None -> 3, Activation(relu))\n)"
        )
        #expect(
            LSTM(hiddenSize: 4, numLayers: 2, dropout: 0.5, bidirectional: true, inputSize: 3, prefix: "l_")
                .description == "LSTM(3 -> 4, TNC, num_layers=2, dropout=0.5, bidirectional)")
        #expect(RNN(hiddenSize: 4, inputSize: 10, prefix: "r_").description == "RNN(10 -> 4, TNC)")
        #expect(Dense(units: 3, inUnits: 2, prefix: "d_").description == "Dense(2 -> 3, linear)")
    }

    @Test func selectMatchesFullNamesFromTheirStart() throws {
        let net = makeNet()
        #expect(try net.collectParams(select: "l0").count == 0)
        #expect(try net.collectParams(select: ".*l0_i2h").names.count == 2)
        #expect(try net.collectParams(select: ".*weight").names.first == "net_embedding0_weight")
        #expect(try net.collectParams().count == 7)
        let error = #expect(throws: NNError.self) { try net.collectParams(select: "(") }
        #expect(error?.message.contains("'('") == true)
    }

    @Test func twoParametersOfOneNameAreRefused() {
        let net = Sequential(
            prefix: "", [Dense(units: 1, inUnits: 1, prefix: "a_"), Dense(units: 1, inUnits: 1, prefix: "a_")])
        #expect(throws: NNError.self) { try net.collectParams() }
    }

    @Test func structuralNamesAreGluons() {
        let net = makeNet()
        #expect(
            net.namedParameters().map(\.name) == [
                "0.weight", "1._unfused.0.i2h_weight", "1._unfused.0.h2h_weight", "1._unfused.0.i2h_bias",
                "1._unfused.0.h2h_bias", "3.weight", "3.bias",
            ])
        let layer = GRU(hiddenSize: 1, numLayers: 12, bidirectional: true, inputSize: 1, prefix: "g_")
        let names = layer.namedParameters().map(\.name)
        #expect(names[0] == "_unfused.0.l_cell.i2h_weight" && names.last == "_unfused.11.r_cell.h2h_bias")
    }

    @Test func inferShapeCompletesWithoutRunning() throws {
        let net = makeNet()
        #expect(try net.inferShape([2, 7]) == [2, 7, 3])
        #expect(net.collectParameters().allSatisfy { $0.hasKnownShape })
        let error = #expect(throws: NNError.self) {
            try Dense(units: 2, inUnits: 3, prefix: "d_").inferShape([4, 5])
        }
        #expect(error?.message.contains("d_weight") == true && error?.message.contains("[2, 3]") == true)
        #expect(throws: NNError.self) { try Doubling().inferShape([1]) }
    }

    @Test func applyVisitsChildrenFirst() {
        var order: [String] = []
        let net = makeNet()
        #expect(net.apply { order.append($0.name) } === net)
        #expect(order == ["net_embedding0", "net_lstm0", "net_dropout0", "net_dense0", "net"])
    }

    @Test func hooksRunInOrderUntilTheyAreDetached() {
        let layer = Dense(units: 1, inUnits: 1, dtype: .float64, prefix: "d_")
        layer.initialize(ConstantInitializer(3), seed: 0)
        var events: [String] = []
        let before = layer.registerForwardPreHook { block, inputs in
            events.append("before \(block.name) \(inputs[0].value.doubles())")
        }
        let first = layer.registerForwardHook { _, _, outputs in events.append("first \(outputs[0].value.doubles())") }
        let second = layer.registerForwardHook { _, _, _ in events.append("second") }
        let input = Variable(Tensor([2.0], shape: [1, 1]))
        _ = layer(input, .inference(rows: 1))
        #expect(events == ["before d [2.0]", "first [6.0]", "second"])
        first.detach()
        first.detach()
        events = []
        second.whileAttached { _ = layer(input, .inference(rows: 1)) }
        #expect(events == ["before d [2.0]", "second"])
        before.detach()
        events = []
        _ = layer(input, .inference(rows: 1))
        #expect(events == [])
    }

    @Test func hooksOfALayerSeeStates() {
        let layer = LSTM(hiddenSize: 2, inputSize: 1, prefix: "l_")
        layer.initialize(seed: 1)
        var shapes: [[[Int]]] = []
        _ = layer.registerForwardHook { _, inputs, outputs in shapes = [inputs.map(\.shape), outputs.map(\.shape)] }
        _ = layer(
            Variable(Tensor(zeros: [3, 1, 1])), states: layer.beginState(batchSize: 1), .inference(rows: 1))
        #expect(shapes == [[[3, 1, 1], [1, 1, 2], [1, 1, 2]], [[3, 1, 2], [1, 1, 2], [1, 1, 2]]])
    }

    @Test func summaryIsGluonsTable() throws {
        let net = makeNet()
        net.initialize(seed: 1)
        let text = try net.summary(
            Variable(Tensor([Int32](repeating: 1, count: 6), shape: [2, 3])), .inference(rows: 2))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[1] == "        Layer (type)                                Output Shape         Param #")
        #expect(lines[3] == "               Input                                      (2, 3)               0")
        #expect(lines[5] == "              LSTM-2                                   (2, 3, 6)             312")
        #expect(lines[7] == "             Dense-4                                   (2, 3, 3)              21")
        #expect(lines[10] == "   Total params: 433" && lines[12] == "   Non-trainable params: 0")
        net.hybridize()
        #expect(throws: NNError.self) { try net.summary(Variable(Tensor(zeros: [1, 1])), .inference(rows: 1)) }
    }

    @Test func summaryCountsSharedAndFrozenParameters() throws {
        let table = Embedding(inputDim: 10, outputDim: 4, prefix: "t_")
        let head = Dense(units: 10, inUnits: 4, prefix: "h_", params: table.params)
        let net = Sequential(prefix: "", [table, LSTM(hiddenSize: 4, numLayers: 2, prefix: "l_"), head])
        net.initialize(seed: 1)
        table.weight.gradientRequirement = .null
        let ids = Variable(Tensor([Int32](repeating: 1, count: 6), shape: [2, 3]))
        let lines = try net.summary(ids, .inference(rows: 3)).split(separator: "\n").map(String.init)
        #expect(
            lines.dropFirst(9).prefix(5) == [
                "   Total params: 410", "   Trainable params: 330", "   Non-trainable params: 80",
                "Shared params in forward computation graph: 40", "Unique parameters in model: 370",
            ])
    }

    @Test func castConvertsValuesGradientsAndResults() {
        let layer = GRU(hiddenSize: 2, inputSize: 2, prefix: "g_")
        layer.initialize(seed: 1)
        let before = layer.directions[0].hiddenWeight.data.doubles()
        _ = layer(Variable(Tensor(zeros: [1, 1, 2])), .inference(rows: 1))
        layer.cast(to: .float64)
        #expect(layer.dtype == .float64 && layer.beginState(batchSize: 1)[0].dtype == .float64)
        #expect(layer.directions[0].hiddenWeight.data.doubles() == before)
        let output = layer(Variable(Tensor(zeros: [1, 1, 2], dtype: .float64)), .inference(rows: 1))
        #expect(output.dtype == .float64)
        let dense = Dense(units: 1, inUnits: 1, prefix: "d_")
        dense.initialize(ConstantInitializer(3), seed: 1)
        _ = dense(Variable(Tensor(zeros: [1, 1])), .inference(rows: 1))
        dense.cast(to: .float64)
        #expect(dense(Variable(Tensor([2.0], shape: [1, 1])), .inference(rows: 1)).value.doubles() == [6])
    }

    /// Of two in a file, one would be lost.
    @Test func childrenHaveDifferentNames() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let net = Sequential(prefix: "s_")
            net.register(child: Doubling(), name: "1")
            net.register(child: Doubling())
            net.register(child: Doubling(), name: "2")
        }
        #expect(Complaint.missing("s: there is a child named 2", in: result?.standardErrorContent) == nil)
    }

    @Test func anInputWithoutFeaturesLeavesALayerAsItWas() throws {
        let layer = LSTM(hiddenSize: 4, prefix: "l_")
        layer.initialize(seed: 1)
        let error = #expect(throws: NNError.self) { try layer.inferShape([5, 2, 0]) }
        #expect(error?.message.contains("expected TNC with C ≥ 1.") == true)
        #expect(layer(Variable(Tensor(zeros: [5, 2, 3])), .inference(rows: 2)).shape == [5, 2, 4])
    }

    @Test func aHybridBlockTakesHybridChildrenOnly() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            HybridSequential(prefix: "h_").register(child: Doubling())
        }
        #expect(
            Complaint.missing(
                "a child of a HybridBlock must be a HybridBlock, got Doubling", in: result?.standardErrorContent) == nil
        )
        let plain = Sequential(prefix: "s_", [Doubling(), Dropout(rate: 0)])
        plain.hybridize()
        #expect((plain[1] as? HybridBlock)?.isHybridized == true)
    }
}
