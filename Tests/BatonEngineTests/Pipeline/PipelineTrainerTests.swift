import BatonComm
import BatonKernels
import BatonMPITestSupport
import BatonTensor
import Testing

@testable import BatonEngine

/// Training in every layout of the test's world against training in one process, bit for bit, with dropout, clipping and
/// state carried over windows. launch/test runs this under mpirun with 1 to 4 ranks, with both kernel backends.
@Suite(.serialized) struct PipelineTrainerTests {
    @Test(arguments: RecurrentKind.allCases, ScheduleKind.allCases)
    func everyLayoutHasTheBitsOfOneProcess(cell: RecurrentKind, schedule: ScheduleKind) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(cell, layers: 4)
        let alone = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()), to: 6)
        for layout in TinyRun.layouts(ranks: world.size, layers: 4) {
            let trainer = try TinyRun.trainer(
                configuration, grid: ProcessGrid(layout, world: world), schedule: schedule)
            #expect(try TinyRun.train(trainer, to: 6) == alone, "layout \(layout)")
        }
    }

    /// Five layers on three stages, batches of few and of many leaves.
    @Test(arguments: [5, 3], [4, 8, 33])
    func unevenStagesAndBatchesHaveTheBitsOfOneProcess(layers: Int, batch: Int) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(.gru, layers: layers, batch: batch, clip: nil, optimizer: .adamw)
        let tokens = TinyRun.tokens(count: 1000)
        let alone = try TinyRun.train(TinyRun.trainer(configuration, tokens: tokens, on: SelfCommunicator()), to: 4)
        for layout in TinyRun.layouts(ranks: world.size, layers: layers) {
            for schedule in [ScheduleKind.wavefront, .oneForwardOneBackward] {
                let grid = try ProcessGrid(layout, world: world)
                let trainer = try TinyRun.trainer(configuration, tokens: tokens, grid: grid, schedule: schedule)
                #expect(try TinyRun.train(trainer, to: 4) == alone, "layout \(layout)")
            }
        }
    }

    /// Without this the tests above could pass because every rank computes everything.
    @Test func everyStageHoldsItsLayersOnly() throws {
        let world = try TestWorld.communicator()
        for layout in TinyRun.layouts(ranks: world.size, layers: 4) {
            let grid = try ProcessGrid(layout, world: world)
            let trainer = try TinyRun.trainer(TinyRun.configuration(layers: 4), grid: grid)
            let metrics = try trainer.step()
            #expect((metrics.parameterHash != nil) == (world.rank == 0))
            let layers = trainer.partition.stages[grid.place.stage]
            #expect(trainer.model.layers == layers && layers.count <= 4 - layout.stages + 1)
            let names = trainer.arena.slots.map(\.parameter.name)
            #expect(names.count { $0.hasPrefix("rnn_") } == 4 * layers.count)
            #expect(names.contains("embedding_weight") == (grid.place.stage == 0))
            #expect(names.contains("decoder_weight") == (grid.place.stage == layout.stages - 1))
            #expect(trainer.model.parametersByLayer.count { $0.parameter.isInitialized } == names.count)
        }
    }

    /// Layout → one process → another layout, with the state of every lane and layer.
    @Test(arguments: [5, 8], [RecurrentKind.lstm, .gru])
    func aSnapshotGoesOnInAnotherLayout(step: Int, cell: RecurrentKind) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(cell, layers: 4)
        let uninterrupted = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()))
        let layouts = TinyRun.layouts(ranks: world.size, layers: 4)
        for (from, to) in zip(layouts, layouts.reversed()) {
            let first = try TinyRun.trainer(configuration, grid: ProcessGrid(from, world: world), schedule: .gpipe)
            _ = try TinyRun.train(first, to: step)
            let second = try TinyRun.trainer(configuration, on: SelfCommunicator())
            try second.restore(try first.snapshot().copied())
            let middle = try TinyRun.train(second, to: step + 2)
            let third = try TinyRun.trainer(configuration, grid: ProcessGrid(to, world: world))
            try third.restore(try second.snapshot().copied())
            let end = try TinyRun.train(third)
            #expect(middle + end == Array(uninterrupted[step...]), "from \(from) to \(to)")
        }
    }

    @Test func layoutsThatDoNotFitAreRefusedWithTheReason() throws {
        let configuration = try TinyRun.configuration(layers: 2, batch: 4)
        for (layout, reason) in [
            (ParallelLayout(stages: 3), "use at most pp=2"), (ParallelLayout(replicas: 5), "use at most 4 ranks"),
            (ParallelLayout(directions: 2), "leave out dir"),
        ] + (KernelSelection.active.backend == .blas ? [(ParallelLayout(shards: 2), "leave out shard")] : []) {
            let error = #expect(throws: EngineError.self) { try configuration.check(layout) }
            #expect(error?.message.contains(reason) == true)
        }
        try configuration.check(ParallelLayout(replicas: 4, stages: 2))
        if KernelSelection.active.backend == .packed { try configuration.check(ParallelLayout(stages: 2, shards: 5)) }
    }
}
