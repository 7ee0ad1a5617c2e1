internal import BatonKernels
internal import BatonNN
internal import BatonTensor
internal import Glibc

/// Samples tokens from a language model, one at a time, with carried state.
///
/// p(token) ∝ exp(logit / temperature); temperature 0 takes the most likely token. Token i is a function of the
/// seed, i and the model: the draw is Philox number i of the stream `generate`.
public final class TextGenerator {
    private let model: LanguageModel
    private let temperature: Double
    private let stream: RandomStream
    private let context = ForwardContext.inference(rows: 1)
    private var states: [Variable]
    private var position: UInt64 = 0

    /// - Precondition: temperature ≥ 0.
    public init(_ model: LanguageModel, temperature: Double, seed: UInt64) {
        precondition(temperature >= 0, "TextGenerator: expected a temperature ≥ 0, got \(temperature)")
        self.model = model
        self.temperature = temperature
        stream = RandomStream(seed: seed, name: "generate")
        states = model.beginState(batchSize: 1)
    }

    /// Feeds the prompt and returns the tokens that follow it.
    ///
    /// - Precondition: the prompt is not empty.
    public func generate(prompt: [Int32], length: Int) -> [Int32] {
        precondition(!prompt.isEmpty, "TextGenerator: the prompt is empty")
        var logits = feed(prompt)
        var result: [Int32] = []
        for index in 0..<length {
            let token = sample(logits)
            result.append(token)
            if index + 1 < length { logits = feed([token]) }
        }
        return result
    }

    /// Logits after the last of the tokens.
    private func feed(_ tokens: [Int32]) -> [Float] {
        let (logits, final) = model(Tensor(tokens, shape: [tokens.count, 1]), states: states, context)
        states = final
        return logits.value[leading: tokens.count - 1..<tokens.count].elements(as: Float.self)
    }

    private func sample(_ logits: [Float]) -> Int32 {
        guard let most = logits.indices.max(by: { logits[$0] < logits[$1] }) else { return 0 }
        let draw = stream.uniform(position)
        position += 1
        guard temperature > 0 else { return Int32(most) }
        let weights = logits.map { exp(Double($0 - logits[most]) / temperature) }
        var remaining = draw * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            remaining -= weight
            if remaining < 0 { return Int32(index) }
        }
        return Int32(most)
    }
}
