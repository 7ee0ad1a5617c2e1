import BatonMPITestSupport
import Testing

@testable import BatonEngine

/// What the generators promise: length, memory, and the picture.
@Suite(.enabled(if: !TestWorld.isUnderMPI)) struct ScheduleGeneratorTests {
    @Test func theWavefrontTakesTheTimeOfItsFormula() throws {
        for stages in 1...8 {
            for chunks in 1...16 {
                let outcome = try ScheduleSimulator(credit: 1).run(.wavefront(stages: stages, chunks: chunks))
                #expect(outcome.makespan == Double(3 * chunks + 2 * (stages - 1)))
                #expect(outcome.peakLiveChunks == Array(repeating: chunks, count: stages))
                #expect(outcome.busy == Array(repeating: Double(3 * chunks), count: stages))
            }
        }
    }

    /// With two micro-batches the backward pass of one fills the gaps of the other: about 3MK + P.
    @Test(arguments: [2, 3, 4], [4, 8, 16])
    func twoMicroBatchesHalveTheBubble(stages: Int, chunks: Int) throws {
        let schedule = PipelineSchedule.wavefront(stages: stages, chunks: chunks, microBatches: 2)
        let outcome = try ScheduleSimulator().run(schedule)
        #expect(outcome.makespan <= Double(6 * chunks + stages))
    }

    @Test func microBatchSchedulesTakeTheTimeAndTheMemoryOfTheirFormulas() throws {
        for stages in 1...8 {
            for microBatches in 1...8 {
                let limit = Double(3 * microBatches + 2 * (stages - 1))
                let all = try ScheduleSimulator().run(.gPipe(stages: stages, microBatches: microBatches))
                #expect(all.makespan == limit)
                #expect(all.peakLiveChunks == Array(repeating: microBatches, count: stages))
                let few = try ScheduleSimulator().run(
                    .oneForwardOneBackward(stages: stages, microBatches: microBatches))
                #expect(few.peakLiveChunks == (0..<stages).map { min(microBatches, stages - $0) })
                #expect(few.busy == all.busy)
            }
        }
    }

    /// A stream of sequences keeps all stages busy: only the first P − 1 ticks are lost.
    @Test func inferenceLosesOnlyTheRamp() throws {
        let schedule = PipelineSchedule.inference(stages: 4, chunks: 6, sequences: 10)
        try ScheduleValidator.validate(schedule)
        #expect(try ScheduleSimulator(credit: 1).run(schedule).makespan == 63)
    }

    @Test func replicasEndWithOneSum() throws {
        let schedule = PipelineSchedule.wavefront(stages: 2, chunks: 2, replicas: 2)
        try ScheduleValidator.validate(schedule)
        #expect(
            try schedule.grid() == """
                rank 0 | F0.0 F0.1    .    . B0.1 B0.0   W0    =    S
                rank 1 |    . F0.0 F0.1 B0.1 B0.0   W0    =    S    .
                rank 2 | F0.0 F0.1    .    . B0.1 B0.0   W0    =    S
                rank 3 |    . F0.0 F0.1 B0.1 B0.0   W0    =    S    .
                """)
    }

    @Test func aGridShowsEveryRankAndTick() throws {
        #expect(
            try PipelineSchedule.wavefront(stages: 3, chunks: 3).grid() == """
                rank 0 | F0.0 F0.1 F0.2    .    .    .    . B0.2 B0.1 B0.0   W0    =    =
                rank 1 |    . F0.0 F0.1 F0.2    .    . B0.2 B0.1 B0.0   W0    =    =    .
                rank 2 |    .    . F0.0 F0.1 F0.2 B0.2 B0.1 B0.0   W0    =    =    .    .
                """)
        #expect(
            try PipelineSchedule.gPipe(stages: 2, microBatches: 2).grid() == """
                rank 0 | F0.0 F1.0    .    . B1.0   W1 B0.0   W0
                rank 1 |    . F0.0 F1.0 B1.0   W1 B0.0   W0    .
                """)
        #expect(
            try PipelineSchedule.oneForwardOneBackward(stages: 2, microBatches: 3).grid() == """
                rank 0 | F0.0 F1.0    . B0.0   W0 F2.0 B1.0   W1    . B2.0   W2
                rank 1 |    . F0.0 B0.0   W0 F1.0 B1.0   W1 F2.0 B2.0   W2    .
                """)
        #expect(
            try PipelineSchedule.wavefront(stages: 2, chunks: 2, microBatches: 2).grid() == """
                rank 0 | F0.0 F0.1 F1.0 F1.1 B0.1 B0.0   W0    = B1.1 B1.0   W1    =    .
                rank 1 |    . F0.0 F0.1 B0.1 B0.0 F1.0 F1.1 B1.1 B1.0   W0    =   W1    =
                """)
    }

    @Test func aSpreadOutputLayerIsInTheGrid() throws {
        let schedule = PipelineSchedule.wavefront(stages: 2, chunks: 2).spreadingOutput()
        try ScheduleValidator.validate(schedule)
        #expect(
            try schedule.grid() == """
                rank 0 | F0.0 F0.1 O0.0    . O0.1    . B0.1 B0.0   W0    =
                rank 1 |    . F0.0 O0.0 F0.1 O0.1 B0.1 B0.0   W0    =    .
                """)
        // Micro-batch by micro-batch: a stage runs no rows of a later one before it has to.
        let micro = PipelineSchedule.gPipe(stages: 3, microBatches: 2).spreadingOutput()
        try ScheduleValidator.validate(micro)
        #expect(
            micro.ranks[0].map(\.description) == [
                "0F0.0", "0F1.0", "0O0.0", "0O1.0", "0B1.0", "0W1", "0B0.0", "0W0",
            ])
        #expect(
            PipelineSchedule.oneForwardOneBackward(stages: 2, microBatches: 2).spreadingOutput().ranks[0].map(
                \.description) == ["0F0.0", "0F1.0", "0O0.0", "0B0.0", "0W0", "0O1.0", "0B1.0", "0W1"])
    }

    /// A message takes half a chunk: a receiver that looks ahead waits for the first message only.
    @Test func messagesReceivedAheadMoveWhileTheRankWorks() throws {
        var costs = ScheduleSimulator.Costs()
        costs.message = 0.5
        let schedule = PipelineSchedule.inference(stages: 2, chunks: 8)
        #expect(try ScheduleSimulator(costs: costs).run(schedule).makespan == 1 + 8 * 1.5)
        #expect(try ScheduleSimulator(costs: costs, lookahead: 2).run(schedule).makespan == 9.5)
    }

    /// Chunks of one step are only for windows that else had fewer than eight per stage.
    @Test(arguments: [(96, 32), (64, 32), (40, 20), (32, 16), (16, 16), (5, 5), (1, 1)])
    func chunksOfAWindow(steps: Int, chunks: Int) {
        let schedule = ScheduleKind.wavefront.schedule(stages: 2, replicas: 1, steps: steps, leafCount: 8)
        #expect(schedule.shape.chunks == chunks)
    }
}
