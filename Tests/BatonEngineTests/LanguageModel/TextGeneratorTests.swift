import BatonData
import BatonTensor
import Testing

@testable import BatonEngine

@Suite struct TextGeneratorTests {
    private static func model() throws -> LanguageModel { LanguageModel(try TinyRun.configuration().model, seed: 9) }

    private func generate(temperature: Double, seed: UInt64, length: Int = 200) throws -> [Int32] {
        try TextGenerator(try Self.model(), temperature: temperature, seed: seed).generate(
            prompt: [1, 2, 3], length: length)
    }

    @Test func theTextDependsOnTheSeedAlone() throws {
        let text = try generate(temperature: 1, seed: 4)
        #expect(text.count == 200)
        #expect(try generate(temperature: 1, seed: 4) == text)
        #expect(try generate(temperature: 1, seed: 5) != text)
        #expect(try Array(generate(temperature: 1, seed: 4, length: 50)) == Array(text.prefix(50)))
        #expect(try generate(temperature: 1, seed: 4, length: 0).isEmpty)
    }

    /// A model of zeros finds all tokens equally likely, so the draws themselves are what comes out.
    @Test func everyTokenHasADrawOfItsOwn() throws {
        let model = try Self.model()
        for parameter in model.parameters { parameter.setData(Tensor(zeros: parameter.shape)) }
        let text = try TextGenerator(model, temperature: 1, seed: 4).generate(prompt: [1], length: 50)
        let draws = RandomStream(seed: 4, name: "generate")
        #expect(text == (0..<50).map { Int32(draws.uniform($0) * 13) })
    }

    @Test func aPromptOutsideTheVocabularyIsRefused() throws {
        let generator = try TextGenerator(try Self.model(), temperature: 1, seed: 4)
        let error = #expect(throws: DataError.self) { _ = try generator.generate(prompt: [1, 13], length: 1) }
        #expect(error?.code == .unknownIdentifier)
        #expect(try generator.generate(prompt: [1, 12], length: 1).count == 1)
    }

    @Test func promptsMayComeInParts() throws {
        let whole = try TextGenerator(try Self.model(), temperature: 0, seed: 4).generate(
            prompt: [1, 2, 3], length: 20)
        let generator = try TextGenerator(try Self.model(), temperature: 0, seed: 4)
        #expect(throws: EngineError.self) { _ = try generator.generate(prompt: [], length: 1) }
        #expect(try generator.generate(prompt: [1, 2], length: 0).isEmpty)
        let begin = try generator.generate(prompt: [3], length: 8)
        let rest = try generator.generate(prompt: [begin[7]], length: 12)
        #expect(begin + rest == whole)
    }

    @Test func temperatureZeroTakesTheMostLikelyToken() throws {
        let model = try Self.model()
        let text = try generate(temperature: 0, seed: 4, length: 30)
        #expect(try generate(temperature: 0, seed: 5, length: 30) == text)
        let all = [1, 2, 3] + text
        let (logits, _) = model(
            Tensor(all.map { Int32($0) }, shape: [all.count, 1]), states: model.beginState(batchSize: 1),
            .inference(rows: 1))
        let rows = logits.value.elements(as: Float.self)
        for (index, token) in text.enumerated() {
            let row = rows[(index + 2) * 13..<(index + 3) * 13]
            #expect(rows[(index + 2) * 13 + Int(token)] == row.max())
        }
    }

    /// 4000 first draws against the model's own probabilities: each frequency within five standard deviations.
    @Test func drawsFollowTheProbabilities() throws {
        let model = try Self.model()
        let (logits, _) = model(
            Tensor([Int32(1)], shape: [1, 1]), states: model.beginState(batchSize: 1), .inference(rows: 1))
        let values = logits.value.elements(as: Float.self).map { Double($0) / 0.5 }
        var counts = [Double](repeating: 0, count: 13)
        for seed in 0..<4000 {
            let token = try TextGenerator(model, temperature: 0.5, seed: UInt64(seed))
                .generate(prompt: [1], length: 1)[0]
            counts[Int(token)] += 1
        }
        let probabilities = Self.softmax(values)
        for (count, probability) in zip(counts, probabilities) {
            let deviation = (4000 * probability * (1 - probability)).squareRoot()
            #expect(abs(count - 4000 * probability) < 5 * deviation)
        }
    }

    private static func softmax(_ values: [Double]) -> [Double] {
        let powers = values.map { exponential($0) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    /// eˣ by its series; the arguments are small.
    private static func exponential(_ x: Double) -> Double {
        var (sum, term) = (1.0, 1.0)
        for k in 1..<40 {
            term *= x / Double(k)
            sum += term
        }
        return sum
    }
}
