import BatonComm
import BatonKernels
import Testing

@testable import BatonEngine

@Suite struct OutputPlacementTests {
    private func model(vocabulary: Int) throws -> LanguageModelConfiguration {
        try LanguageModelConfiguration(
            cell: .lstm, vocabularySize: vocabulary, embedding: 64, hidden: 256, layers: 2, dropout: 0)
    }

    @Test func largeVocabulariesAreSpreadAndSmallOnesAreNot() throws {
        let two = ParallelLayout(stages: 2)
        #expect(try OutputPlacement.cheaper(model(vocabulary: 10_000), two, leafCount: 8) == .spread)
        #expect(try OutputPlacement.cheaper(model(vocabulary: 65), two, leafCount: 8) == .lastStage)
        let alone = ParallelLayout(replicas: 2)
        #expect(try OutputPlacement.cheaper(model(vocabulary: 10_000), alone, leafCount: 8) == .lastStage)
        #expect(try OutputPlacement.cheaper(model(vocabulary: 10_000), two, leafCount: 1) == .lastStage)
    }

    @Test func aSpreadThatCannotBeIsRefusedWithTheReason() throws {
        for (layout, leafCount) in [
            (ParallelLayout(), 8), (ParallelLayout(stages: 2), 1), (ParallelLayout(stages: 2, shards: 2), 8),
        ] {
            let error = #expect(throws: EngineError.self) {
                try OutputPlacement.spread.check(layout, leafCount: leafCount)
            }
            #expect(error?.message.contains("cannot be spread") == true)
        }
    }

    /// Every row of every micro-batch belongs to one stage, and the stages' leaves are whole.
    @Test(arguments: [1, 2], [2, 3, 4])
    func partsCoverEveryRowOnce(replicas: Int, stages: Int) {
        for microBatches in [1, 2, 4] { check(replicas: replicas, stages: stages, microBatches: microBatches) }
    }

    private func check(replicas: Int, stages: Int, microBatches: Int) {
        let layout = ParallelLayout(replicas: replicas, stages: stages)
        for replica in 0..<replicas {
            let micro = MicroBatchSums(
                lanes: 19, leafCount: 8, replica: replica, replicas: replicas, microBatches: microBatches)
            for stage in 0..<stages {
                let place = ParallelLayout.Place(replica: replica, stage: stage)
                let parts = OutputParts(
                    lanes: 19, leafCount: 8, layout: layout, place: place, microBatches: microBatches)
                for (number, share) in micro.shares.enumerated() {
                    let rows = parts.parts.flatMap { Array($0[number].rows) }
                    #expect(rows == Array(0..<share.lanes.count))
                    #expect(parts.parts.allSatisfy { $0[number].leaves.rowCount == $0[number].rows.count })
                }
                let own = OutputParts.leaves(ofRank: replica * stages + stage, layout, leafCount: 8)
                #expect(parts.sums.roots.count == LeafPlan.alignedSubtrees(own).count)
            }
        }
    }
}
