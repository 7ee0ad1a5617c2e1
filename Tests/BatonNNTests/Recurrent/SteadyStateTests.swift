import BatonKernels
import BatonNN
import BatonTensor
import Testing

@Suite(.serialized) struct SteadyStateTests {
    /// Other suites allocate at the same time, so the count of this process may move between two readings; a step
    /// that allocates does so in every one of twenty attempts.
    @Test func trainingStepsTakeAllMemoryFromThePool() throws {
        let embedding = Embedding(inputDim: 37, outputDim: 11, prefix: "table_")
        let layer = LSTM(hiddenSize: 19, numLayers: 2, dropout: 0.2, bidirectional: true, inputSize: 11, prefix: "net_")
        let head = Dense(units: 37, inUnits: 38, prefix: "head_")
        let model = Sequential(prefix: "", [embedding, layer, head])
        model.initialize(seed: 1)
        let arena = ParameterArena(model.collectParameters().reversed())
        let optimizer = Adam(arena)
        let ids = Tensor((0..<7 * 6).map { Int32($0 % 37) }, shape: [7, 6])
        let tape = Tape()
        func step(_ number: UInt32) throws {
            arena.beginStep()
            let context = ForwardContext.training(rows: 6, tape: tape, random: RandomKey(seed: 1, step: number))
            let loss = context.softmaxCrossEntropy(
                model(Variable(ids), context), targets: ids, gradientScale: 1.0 / 42)
            let seed = try #require(loss.seed)
            tape.backward(from: [seed])
            let norm = try GradientNorm(arena, gradient: arena.gradients[0])
            optimizer.step(gradientScale: norm.clippingFactor(maximum: 1))
        }
        for number in 0..<3 { try step(UInt32(number)) }
        var quiet = false
        for attempt in 0..<20 where !quiet {
            let before = StoragePool.systemAllocations
            try step(UInt32(3 + attempt))
            quiet = StoragePool.systemAllocations == before
        }
        #expect(quiet)
    }

    @Test func aTinyModelLearnsToRepeatItsInput() throws {
        let model = Sequential(
            prefix: "",
            [
                Embedding(inputDim: 5, outputDim: 8, prefix: "table_"),
                GRU(hiddenSize: 16, inputSize: 8, prefix: "net_"), Dense(units: 5, inUnits: 16, prefix: "head_"),
            ])
        PyTorchInitialization.initialize(model, seed: 1)
        let arena = ParameterArena(model.collectParameters().reversed())
        let optimizer = AdamW(arena, learningRate: 0.02)
        let ids = Tensor((0..<10 * 4).map { Int32($0 * 7 % 5) }, shape: [10, 4])
        let tape = Tape()
        var first = 0.0
        var last = 0.0
        for number in 0..<60 {
            arena.beginStep()
            let context = ForwardContext.training(rows: 4, tape: tape, random: RandomKey(seed: 1))
            let loss = context.softmaxCrossEntropy(model(Variable(ids), context), targets: ids, gradientScale: 1.0 / 40)
            tape.backward(from: [try #require(loss.seed)])
            optimizer.step()
            last = CrossEntropy.treeSum(loss.leafSums) / 40
            if number == 0 { first = last }
        }
        #expect(first > 1.2)
        #expect(last < 0.05)
    }
}
