import BatonNN
import BatonTensor
import Testing

/// The model and the training loop that the documentation shows in "Blocks and parameters".
private final class CharacterModel: Block {
    let embedding: Embedding
    let layer: LSTM
    let dense: Dense

    init(vocabulary: Int, prefix: String? = nil) {
        let outline = BlockOutline(prefix: prefix, hint: "charactermodel")
        (embedding, layer, dense) = outline.nameScope {
            (
                Embedding(inputDim: vocabulary, outputDim: 16), LSTM(hiddenSize: 32, numLayers: 2, dropout: 0.1),
                Dense(units: vocabulary)
            )
        }
        super.init(outline)
        register(children: [("embedding", embedding), ("layer", layer), ("dense", dense)])
    }

    func callAsFunction(
        _ ids: Tensor, states: [Variable], _ context: ForwardContext
    ) -> (logits: Variable, states: [Variable]) {
        let (output, next) = layer(embedding(Variable(ids), context), states: states, context)
        return (dense(output, context), next)
    }
}

@Suite struct OwnModelTests {
    private let letters = Array("abcdefghij")

    /// Ids and the ids one step later, (T, N), of a text that repeats the alphabet; the lanes begin at its letters.
    private func window(_ step: Int, lanes: Int, length: Int) -> (ids: Tensor, targets: Tensor) {
        func ids(_ shift: Int) -> Tensor {
            let numbers = (0..<length).flatMap { time in
                (0..<lanes).map { lane in Int32((step * length + time + shift + 3 * lane) % letters.count) }
            }
            return Tensor(numbers, shape: [length, lanes])
        }
        return (ids(0), ids(1))
    }

    @Test func theDocumentedModelLearns() throws {
        let (lanes, length) = (4, 5)
        let model = CharacterModel(vocabulary: letters.count, prefix: "own_")
        model.initialize(XavierInitializer(), seed: 3)
        let trainer = Trainer(try model.collectParams(), AdamRule(), learningRate: 0.02)
        let loss = SoftmaxCrossEntropyLoss(batchAxis: 1)
        var states = model.layer.beginState(batchSize: lanes)
        var losses: [Double] = []
        for step in 0..<40 {
            let (ids, targets) = window(step, lanes: lanes, length: length)
            let tape = Tape()
            let context = ForwardContext.training(
                rows: lanes, tape: tape, random: RandomKey(seed: 1, step: UInt32(step)))
            let (logits, next) = model(ids, states: states, context)
            let values = loss(logits, targets, context)
            losses.append(values.value.doubles().reduce(0, +) / Double(lanes))
            tape.backward(values)
            try clipGlobalNorm(trainer.gradients, maximum: 5 * Double(lanes))
            try trainer.step(batchSize: lanes)
            states = next.map { Variable($0.value) }
        }
        #expect(losses[0] > 2 && losses[39] < 0.5)
        #expect(model.collectParameters()[0].name == "own_embedding0_weight")
        #expect(model.namedParameters()[1].name == "layer._unfused.0.i2h_weight")
    }
}
