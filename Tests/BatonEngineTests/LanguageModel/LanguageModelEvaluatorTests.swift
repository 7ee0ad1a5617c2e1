import BatonComm
import BatonData
import BatonMPITestSupport
import BatonTensor
import BatonTestSupport
import Testing

@testable import BatonEngine

@Suite(.serialized) struct LanguageModelEvaluatorTests {
    private static func model() throws -> LanguageModel {
        LanguageModel(try TinyRun.configuration().model, seed: 9)
    }

    /// 2 tokens make one lane, 30 make four of 7, 900 thirty-two whose last window is short.
    @Test(arguments: [2, 9, 30, 900])
    func everyNumberOfRanksHasTheBitsOfOneProcess(count: Int) throws {
        let tokens = TinyRun.tokens(count: count)
        let model = try Self.model()
        let alone = try LanguageModelEvaluator(tokens: tokens, steps: 7, communicator: SelfCommunicator())
            .evaluate(model)
        let together = try LanguageModelEvaluator(tokens: tokens, steps: 7, communicator: TestWorld.communicator())
            .evaluate(model)
        #expect(together.loss.bitPattern == alone.loss.bitPattern)
        #expect(together.tokens == alone.tokens)
    }

    @Test func aTokenOutsideTheVocabularyIsRefused() throws {
        let evaluator = try LanguageModelEvaluator(tokens: [1, 2, 13], steps: 7, communicator: SelfCommunicator())
        let error = #expect(throws: DataError.self) { _ = try evaluator.evaluate(try Self.model()) }
        #expect(error?.code == .unknownIdentifier)
    }

    @Test(arguments: [(2, 1), (9, 1), (30, 4), (900, 32)])
    func theLossIsThePlainMeanOverAllTargets(count: Int, lanes: Int) throws {
        let tokens = TinyRun.tokens(count: count)
        let model = try Self.model()
        let length = (count - 1) / lanes
        var sum = 0.0
        // Each lane by itself, in one piece.
        for lane in 0..<lanes {
            let inputs = Array(tokens[lane * length..<(lane + 1) * length])
            let labels = tokens[lane * length + 1..<(lane + 1) * length + 1].map { Int($0) }
            let (logits, _) = model(
                Tensor(inputs, shape: [length, 1]), states: model.beginState(batchSize: 1), .inference(rows: 1))
            sum += OracleCrossEntropy.losses(
                logits.value.elements(as: Float.self).map(Double.init), labels: labels
            ).reduce(0, +)
        }
        let (loss, scored) = try LanguageModelEvaluator(
            tokens: tokens, steps: 7, communicator: TestWorld.communicator()
        ).evaluate(model)
        #expect(scored == lanes * length)
        let mean = sum / Double(scored)
        // The logits have the same bits; one f32 softmax of 13 terms and the sum differ.
        #expect(abs(loss - mean) <= Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: 13) * mean)
    }
}
