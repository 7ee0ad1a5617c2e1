import BatonComm
import BatonKernels
import BatonMPITestSupport
import BatonTensor
import Testing

@testable import BatonEngine

/// Training on all ranks of the test's world against training in one process, which every rank does for itself.
/// launch/test runs this under mpirun with 1 to 4 ranks, with both kernel backends.
@Suite(.serialized) struct LanguageModelTrainerTests {
    @Test(arguments: RecurrentKind.allCases)
    func everyNumberOfRanksHasTheBitsOfOneProcess(cell: RecurrentKind) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(cell)
        let alone = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()))
        let together = try TinyRun.train(TinyRun.trainer(configuration, on: world))
        #expect(together == alone)
        // The run is one in which an error would show: parameters move, and the norm is clipped in some step.
        #expect(Set(alone.map(\.parameters)).count == alone.count)
        #expect(alone.contains { Double(bitPattern: $0.norm) > 0.1 })
    }

    @Test(arguments: [TrainingConfiguration.OptimizerKind.sgd, .adamw], [4, 8, 33])
    func everyOptimizerAndBatchHasTheBitsOfOneProcess(
        optimizer: TrainingConfiguration.OptimizerKind, batch: Int
    ) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(.gru, batch: batch, clip: nil, optimizer: optimizer)
        let tokens = TinyRun.tokens(count: 1000)
        let alone = try TinyRun.train(TinyRun.trainer(configuration, tokens: tokens, on: SelfCommunicator()), to: 5)
        let together = try TinyRun.train(TinyRun.trainer(configuration, tokens: tokens, on: world), to: 5)
        #expect(together == alone)
    }

    /// Without this the tests above could pass because every rank computes everything.
    @Test func eachLaneIsComputedOnOneRank() throws {
        let world = try TestWorld.communicator()
        let trainer = try TinyRun.trainer(TinyRun.configuration(), on: world)
        let metrics = try trainer.step()
        #expect(metrics.rowsThisRank == trainer.share.lanes.count)
        #expect(metrics.tokens == 11 * 7)
        #expect((metrics.parameterHash != nil) == (world.rank == 0))
        let shares = (0..<world.size).map { RankShare(lanes: 11, leafCount: 8, rank: $0, size: world.size) }
        #expect(shares[world.rank] == trainer.share)
        #expect(shares.flatMap { Array($0.lanes) } == Array(0..<11))
        #expect(shares.allSatisfy { !$0.lanes.isEmpty })
    }

    @Test(arguments: [5, 8], [RecurrentKind.lstm, .gru])
    func aSnapshotGoesOnInAnotherNumberOfRanks(step: Int, cell: RecurrentKind) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(cell)
        let uninterrupted = try TinyRun.train(TinyRun.trainer(configuration, on: SelfCommunicator()))
        let first = try TinyRun.trainer(configuration, on: world)
        _ = try TinyRun.train(first, to: step)
        let snapshot = try first.snapshot().copied()
        // From all ranks to one, and from one back to all.
        let second = try TinyRun.trainer(configuration, on: SelfCommunicator())
        try second.restore(snapshot)
        let middle = try TinyRun.train(second, to: step + 2)
        let third = try TinyRun.trainer(configuration, on: world)
        try third.restore(try second.snapshot().copied())
        let end = try TinyRun.train(third)
        #expect(middle + end == Array(uninterrupted[step...]))
    }

    @Test func theLossOfARepetitiveTextFalls() throws {
        let world = try TestWorld.communicator()
        var configuration = try TinyRun.configuration(dropout: 0, clip: 1, learningRate: 0.02)
        configuration.totalSteps = 200
        let tokens = (0..<2000).map { Int32($0 % 5) }
        let trainer = try TinyRun.trainer(configuration, tokens: tokens, on: world)
        let first = try trainer.step().loss
        let bits = try TinyRun.train(trainer, to: 200)
        // At first all 13 tokens are about equally likely, ln 13 = 2.56; the five of the text would still be 1.61.
        #expect(abs(first - 2.56) < 0.3)
        #expect(Double(bitPattern: bits[bits.count - 1].loss) < 0.3)
    }

    /// Other suites may allocate at the same time; under mpirun there are none, and in a process of its own neither.
    @Test func theSteadyStateAsksForNoMoreMemory() async throws {
        if TestWorld.isUnderMPI {
            try Self.checkSteadyState(on: TestWorld.communicator())
        } else {
            await #expect(processExitsWith: .success) { try Self.checkSteadyState(on: SelfCommunicator()) }
        }
    }

    private static func checkSteadyState(on world: any Communicator) throws {
        // The OpenBLAS backend, which is there to compare with, takes some of its workspace anew.
        func allocations() -> Int {
            KernelSelection.active.backend == .packed ? WorkMemory.allocations : StoragePool.systemAllocations
        }
        var configuration = try TinyRun.configuration()
        configuration.totalSteps = 40
        let trainer = try TinyRun.trainer(configuration, on: world)
        for _ in 0..<12 { _ = try trainer.step() }
        let before = allocations()
        for _ in 0..<20 { _ = try trainer.step() }
        #expect(before > 0 && allocations() == before)
    }

    /// A trainer that is let go of leaves no memory behind, so that layouts can be tried one after the other.
    @Test(arguments: [OutputPlacement.lastStage, .spread])
    func aTrainerLetsGoOfItsMemory(output: OutputPlacement) throws {
        let world = try TestWorld.communicator()
        let configuration = try TinyRun.configuration(layers: 4)
        for layout in TinyRun.layouts(ranks: world.size, layers: 4) {
            guard (try? output.check(layout, leafCount: configuration.leafCount)) != nil else { continue }
            weak var arena: ParameterArena?
            weak var model: LanguageModel?
            do {
                let trainer = try TinyRun.trainer(
                    configuration, grid: ProcessGrid(layout, world: world), output: output)
                (arena, model) = (trainer.arena, trainer.model)
                for _ in 0..<2 { _ = try trainer.step() }
            }
            #expect(arena == nil && model == nil, "layout \(layout)")
        }
    }
}
