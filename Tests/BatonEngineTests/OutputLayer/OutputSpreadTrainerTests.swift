import BatonComm
import BatonKernels
import BatonMPITestSupport
import BatonTensor
import Testing

@testable import BatonEngine

/// Pipelines that spread the output layer over their stages against training in one process, bit for bit. launch/test
/// runs this under mpirun with 1 to 4 ranks, with both kernel backends; one rank has no pipeline.
@Suite(.serialized) struct OutputSpreadTrainerTests {
    private func layouts(_ world: any Communicator, leafCount: Int) -> [ParallelLayout] {
        TinyRun.layouts(ranks: world.size, layers: 4, shards: false).filter { $0.stages > 1 && world.size <= leafCount }
    }

    /// Eleven lanes, so that parts and leaves differ in size; eight, four and two leaves.
    @Test(arguments: ScheduleKind.allCases, [11, 5, 3])
    func spreadPipelinesHaveTheBitsOfOneProcess(schedule: ScheduleKind, batch: Int) throws {
        let world = try TestWorld.communicator()
        for cell in [RecurrentKind.lstm, .gru] {
            let configuration = try TinyRun.configuration(cell, layers: 4, batch: batch)
            let tokens = TinyRun.tokens(count: 1000)
            let alone = try TinyRun.train(TinyRun.trainer(configuration, tokens: tokens, on: SelfCommunicator()), to: 6)
            for layout in layouts(world, leafCount: configuration.leafCount) {
                let trainer = try TinyRun.trainer(
                    configuration, tokens: tokens, grid: ProcessGrid(layout, world: world), schedule: schedule,
                    recomputation: .chunks(of: 2), output: .spread)
                #expect(try TinyRun.train(trainer, to: 6) == alone, "\(cell), layout \(layout)")
            }
        }
    }

    /// Without this the test above could pass because the last stage does it all.
    @Test func everyStageHoldsTheOutputLayerAndRunsItsLeaves() throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(layers: 4)
        for layout in layouts(world, leafCount: 8) {
            let grid = try ProcessGrid(layout, world: world)
            let trainer = try TinyRun.trainer(configuration, grid: grid, output: .spread)
            #expect(trainer.arena.slots.prefix(2).map(\.parameter.name) == ["decoder_bias", "decoder_weight"])
            _ = try trainer.step()
            #expect(trainer.evidence.leaves.count == 8)
            #expect(trainer.evidence.leaves.allSatisfy { $0.tokenCount > 0 && $0.lossSum > 0 })
        }
    }

    @Test func aSnapshotOfASpreadRunGoesOnWithoutAndIsEvaluated() throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(.gru, layers: 4)
        let uninterrupted = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()))
        for layout in layouts(world, leafCount: 8) {
            let grid = try ProcessGrid(layout, world: world)
            let first = try TinyRun.trainer(configuration, grid: grid, output: .spread)
            let start = try TinyRun.train(first, to: 5)
            let spread = try evaluate(first.model, grid)
            let second = try TinyRun.trainer(configuration, on: SelfCommunicator())
            try second.restore(try first.snapshot().copied())
            #expect(try evaluate(second.model, ProcessGrid(dataParallel: SelfCommunicator())) == spread)
            let middle = try TinyRun.train(second, to: 8)
            let third = try TinyRun.trainer(configuration, grid: grid, output: .spread)
            try third.restore(try second.snapshot().copied())
            #expect(try start + middle + TinyRun.train(third) == uninterrupted, "layout \(layout)")
        }
    }

    private func evaluate(_ model: LanguageModel, _ grid: ProcessGrid) throws -> UInt64 {
        let evaluator = try LanguageModelEvaluator(tokens: TinyRun.tokens, steps: 7, grid: grid)
        return try evaluator.evaluate(model).loss.bitPattern
    }
}
