import BatonKernels
import BatonNN
import BatonTensor
import Testing

@Suite struct BlockTests {
    @Test func aNameScopePutsTheParentsPrefixFirstAndCountsItsOwn() {
        let net = Sequential(prefix: "model_")
        net.nameScope {
            net.add(LSTM(hiddenSize: 2, inputSize: 2))
            net.add(LSTM(hiddenSize: 2, inputSize: 2))
            net.add(Dense(units: 3, inUnits: 2, prefix: "out_"))
        }
        let names = net.collectParameters().map(\.name)
        #expect(names.first == "model_lstm0_l0_i2h_weight")
        #expect(names[4] == "model_lstm1_l0_i2h_weight")
        #expect(names.last == "model_out_bias")
        #expect(net.children.map(\.name) == ["0", "1", "2"])
        #expect(net.name == "model")
    }

    @Test func withoutAScopeTheCounterBelongsToTheProcess() throws {
        let (first, second) = (GRU(hiddenSize: 2, inputSize: 2), GRU(hiddenSize: 2, inputSize: 2))
        #expect(first.prefix.hasPrefix("gru") && second.prefix.hasPrefix("gru"))
        #expect(first.prefix != second.prefix)
    }

    @Test func anEmptyPrefixMakesTheScopeTransparent() {
        let net = Sequential(prefix: "")
        net.nameScope { net.add(Dense(units: 1, inUnits: 1, prefix: "a_")) }
        #expect(net.collectParameters().map(\.name) == ["a_weight", "a_bias"])
    }

    @Test func tiedWeightsAreCollectedOnceAndGetBothGradients() {
        let table = Embedding(inputDim: 4, outputDim: 3, dtype: .float64, prefix: "table_")
        let head = Dense(units: 4, useBias: false, inUnits: 3, dtype: .float64, weight: table.weight, prefix: "head_")
        let net = Sequential(prefix: "", [table, head])
        net.initialize(UniformInitializer(1), seed: 1)
        #expect(net.collectParameters().map(\.name) == ["table_weight"])
        let arena = ParameterArena(net.collectParameters())
        let tape = Tape()
        let context = ForwardContext.training(rows: 1, tape: tape, random: RandomKey(seed: 0))
        let output = net(Variable(Tensor([Int32(2)], shape: [1])), context)
        tape.backward(from: [(output, Tensor([1.0, 0, 0, 0], shape: [1, 4]))])
        // y₀ = W₂·W₀, so dW₀ = W₂, dW₂ = W₀.
        let values = table.weight.data.doubles()
        let expected = Array(values[6..<9]) + [0, 0, 0] + Array(values[0..<3]) + [0, 0, 0]
        #expect(arena.gradients[0].doubles()[0..<12] == expected[...])
    }

    @Test func denseAppliesItsActivation() {
        let layer = Dense(units: 1, activation: .relu, dtype: .float64, prefix: "d_")
        layer.initialize(ConstantInitializer(-1), seed: 0)
        let output = layer(Variable(Tensor([1.0, 2, -3, 1], shape: [2, 2])), .inference(rows: 2))
        #expect(output.value.doubles() == [0, 2])
        #expect(layer.weight.shape == [1, 2])
    }

    @Test func gradientsBecomeReadyInMemoryOrder() throws {
        let net = Sequential(
            prefix: "",
            [
                Embedding(inputDim: 3, outputDim: 2, prefix: "table_"),
                LSTM(hiddenSize: 2, numLayers: 2, bidirectional: true, inputSize: 2, prefix: "net_"),
                Dense(units: 3, inUnits: 4, prefix: "head_"),
            ])
        net.initialize(seed: 1)
        let arena = ParameterArena(net.collectParameters().reversed())
        let tape = Tape()
        var ready: [Int] = []
        tape.gradientReady = { ready.append(arena.position(of: $0) ?? -1) }
        let ids = Tensor([Int32(0), 1, 2, 0], shape: [2, 2])
        let context = ForwardContext.training(rows: 2, tape: tape, random: RandomKey(seed: 0))
        let loss = context.softmaxCrossEntropy(net(Variable(ids), context), targets: ids, gradientScale: 0.25)
        tape.backward(from: [try #require(loss.seed)])
        #expect(ready == Array(0..<19))
    }
}
