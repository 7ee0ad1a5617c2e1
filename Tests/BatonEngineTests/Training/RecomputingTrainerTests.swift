import BatonComm
import BatonKernels
import BatonMPITestSupport
import Testing

@testable import BatonEngine

/// Training that computes its gates again, in every layout of the test's world, against training that keeps them: bit for
/// bit, with dropout, clipping and carried state. launch/test runs this under mpirun with 1 to 4 ranks, with both kernel
/// backends.
@Suite(.serialized) struct RecomputingTrainerTests {
    @Test(arguments: RecurrentKind.allCases, [1, 3, 7])
    func everyLayoutHasTheBitsOfKeptGates(cell: RecurrentKind, chunk: Int) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(cell, layers: 3)
        let alone = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()), to: 6)
        for layout in TinyRun.layouts(ranks: world.size, layers: 3, shards: false) {
            for schedule in layout.stages > 1 ? ScheduleKind.allCases : [.wavefront] {
                let trainer = try TinyRun.trainer(
                    configuration, grid: ProcessGrid(layout, world: world), schedule: schedule,
                    recomputation: .chunks(of: chunk))
                #expect(try TinyRun.train(trainer, to: 6) == alone, "layout \(layout), \(schedule)")
            }
        }
    }

    /// A run may go on with and without: it is no part of the configuration.
    @Test func aSnapshotGoesOnWithKeptGates() throws {
        let configuration = try TinyRun.configuration()
        let uninterrupted = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()))
        let grid = ProcessGrid(dataParallel: SelfCommunicator())
        let first = try TinyRun.trainer(configuration, grid: grid, recomputation: .chunks(of: 2))
        let start = try TinyRun.train(first, to: 5)
        let second = try TinyRun.trainer(configuration, grid: grid)
        try second.restore(try first.snapshot().copied())
        #expect(try start + TinyRun.train(second) == uninterrupted)
    }
}
