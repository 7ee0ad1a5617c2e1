import BatonKernels
import BatonNN
import BatonTensor
import Testing

@Suite(.serialized) struct SteadyStateTests {
    /// In a process of its own, since other suites take memory at the same time.
    @Test func stepsAskForNoMoreMemory() async {
        await #expect(processExitsWith: .success) {
            let embedding = Embedding(inputDim: 37, outputDim: 11, prefix: "table_")
            let layer = LSTM(
                hiddenSize: 19, numLayers: 2, dropout: 0.2, bidirectional: true, inputSize: 11, prefix: "net_")
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
                tape.backward(from: [try #require(loss.seed)])
                let norm = try GradientNorm(arena, gradient: arena.gradients[0])
                optimizer.step(gradientScale: norm.clippingFactor(maximum: 1))
                _ = model(Variable(ids), .inference(rows: 6))
            }
            for number in 0..<3 { try step(UInt32(number)) }
            // The OpenBLAS backend, which is there to compare with, takes some of its workspace anew.
            func allocations() -> Int {
                KernelSelection.active.backend == .packed ? WorkMemory.allocations : StoragePool.systemAllocations
            }
            let before = allocations()
            for number in 3..<9 { try step(UInt32(number)) }
            #expect(before > 0 && allocations() == before)
        }
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
            last = LeafPlan.treeSum(loss.leafSums, +) / 40
            if number == 0 { first = last }
        }
        #expect(first > 1.2)
        #expect(last < 0.05)
    }
}
