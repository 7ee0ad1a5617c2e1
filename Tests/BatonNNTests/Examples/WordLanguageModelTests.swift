import BatonKernels
import BatonNN
import BatonTensor
import Foundation
import Testing

/// Gluon's word language model in small: embedding, dropout, a stack with states, dropout, a dense layer tied to the
/// embedding; truncated backpropagation through time, with states that are handed on without their history.
@Suite struct WordLanguageModelTests {
    private final class Model {
        let embedding: Embedding
        let dropout: Dropout
        let layer: LSTM
        let dense: Dense
        let net: HybridSequential

        init(words: Int, width: Int) {
            let embedding = Embedding(inputDim: words, outputDim: width, prefix: "lm_embedding_")
            let dropout = Dropout(rate: 0.1, prefix: "lm_dropout_")
            let layer = LSTM(hiddenSize: width, numLayers: 2, dropout: 0.1, inputSize: width, prefix: "lm_layer_")
            let dense = Dense(units: words, inUnits: width, weight: embedding.weight, prefix: "lm_dense_")
            net = HybridSequential(prefix: "lm_", [embedding, dropout, layer, dense])
            (self.embedding, self.dropout, self.layer, self.dense) = (embedding, dropout, layer, dense)
            net.initialize(XavierInitializer(), seed: 5)
        }

        func callAsFunction(
            _ words: Variable, _ states: [Variable], _ context: ForwardContext
        ) -> (scores: Variable, states: [Variable]) {
            let (output, next) = layer(dropout(embedding(words, context), context), states: states, context)
            return (dense(dropout(output, context), context), next)
        }
    }

    @Test func perplexityFallsWithTiedWeightsAndTruncatedHistory() throws {
        // 60 words with a rule: the next is three times the last plus the one before, so states help.
        let (words, rows, steps, windows) = (13, 4, 7, 8)
        var text = [1, 2]
        while text.count < rows * (steps * windows + 1) {
            text.append((3 * text[text.count - 1] + text[text.count - 2]) % words)
        }
        let span = text.count / rows
        func window(_ number: Int, shift: Int) -> Tensor {
            let ids = (0..<steps).flatMap { step in
                (0..<rows).map { row in Int32(text[row * span + number * steps + step + shift]) }
            }
            return Tensor(ids, shape: [steps, rows])
        }
        let model = Model(words: words, width: 24)
        // The shared table counts once.
        #expect(model.net.collectParameters().count == 1 + 8 + 1)
        let loss = SoftmaxCrossEntropyLoss(batchAxis: 1)
        let trainer = Trainer(try model.net.collectParams(), SGDRule(), learningRate: 8)
        let tape = Tape()
        var perplexities: [Double] = []
        for epoch in 0..<30 {
            var states = model.layer.beginState(batchSize: rows)
            var total = 0.0
            for number in 0..<windows {
                let key = RandomKey(seed: 5, step: UInt32(epoch * windows + number))
                let context = ForwardContext.training(rows: rows, tape: tape, random: key)
                let (scores, next) = model(Variable(window(number, shift: 0)), states, context)
                let value = loss(scores, window(number, shift: 1), context)
                tape.backward(value)
                try clipGlobalNorm(model.net.collectParameters().map(\.gradient), maximum: 0.25 * Double(rows))
                try trainer.step(batchSize: rows)
                // A new variable of the same values has no history.
                states = next.map { Variable($0.value) }
                total += value.value.doubles().reduce(0, +) / Double(rows)
            }
            perplexities.append(exp(total / Double(windows)))
        }
        #expect(perplexities[0] > 8, "\(perplexities)")
        #expect(perplexities[29] < 0.5 * perplexities[0], "\(perplexities)")
    }
}
