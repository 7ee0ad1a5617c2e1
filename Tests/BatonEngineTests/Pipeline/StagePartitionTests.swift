import BatonKernels
import BatonMPITestSupport
import BatonTestSupport
import Testing

@testable import BatonEngine

@Suite(.enabled(if: !TestWorld.isUnderMPI)) struct StagePartitionTests {
    /// Against all cuts there are.
    @Test func theSlowestStageIsAsFastAsCanBe() {
        var random = SeededRandom(seed: 9)
        for _ in 0..<2_000 {
            let costs = (0..<random.integer(1...9)).map { _ in random.real(0.1...10) }
            let count = random.integer(1...costs.count)
            let partition = StagePartition(costs: costs, stages: count)
            #expect(partition.stages.count == count)
            #expect(partition.stages.flatMap { Array($0) } == Array(costs.indices))
            #expect(partition.stages.allSatisfy { !$0.isEmpty })
            let slowest = partition.stages.map { costs[$0].reduce(0, +) }.max() ?? 0
            #expect(abs(slowest - best(costs[...], count)) < 1e-9)
        }
    }

    private func best(_ costs: ArraySlice<Double>, _ count: Int) -> Double {
        if count == 1 { return costs.reduce(0, +) }
        return (1...costs.count - count + 1).map { first in
            max(costs.prefix(first).reduce(0, +), best(costs.dropFirst(first), count - 1))
        }.min() ?? 0
    }

    @Test func fiveLayersOnThreeStages() {
        let partition = StagePartition(costs: [1, 1, 1, 1, 1], stages: 3)
        #expect(partition.stages == [0..<1, 1..<3, 3..<5])
        #expect((0..<5).map { partition.stage(ofLayer: $0) } == [0, 1, 1, 2, 2])
    }

    /// A large vocabulary weighs like layers, a narrow embedding makes the first layer light.
    @Test func theOutputLayerCountsToTheLastStage() throws {
        let large = try LanguageModelConfiguration(
            cell: .lstm, vocabularySize: 10_000, embedding: 64, hidden: 256, layers: 4, dropout: 0)
        #expect(try StagePartition(large, stages: 2).stages == [0..<3, 3..<4])
        let small = try LanguageModelConfiguration(
            cell: .lstm, vocabularySize: 65, embedding: 64, hidden: 256, layers: 4, dropout: 0)
        #expect(try StagePartition(small, stages: 2).stages == [0..<2, 2..<4])
    }

    @Test func moreStagesThanLayersAreRefused() throws {
        let model = try LanguageModelConfiguration(
            cell: .gru, vocabularySize: 5, embedding: 3, hidden: 4, layers: 2, dropout: 0)
        let error = #expect(throws: EngineError.self) { _ = try StagePartition(model, stages: 3) }
        #expect(error?.message.contains("use at most pp=2") == true)
    }
}
