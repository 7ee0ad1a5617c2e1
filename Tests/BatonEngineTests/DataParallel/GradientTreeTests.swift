import BatonComm
import BatonKernelABI
import BatonMPITestSupport
import BatonTensor
import BatonTestSupport
import Testing

@testable import BatonEngine

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The sum over ranks has the bits of the sum in one process. Alone it runs on a group of one; launch/test runs it
/// under mpirun with 1 to 4 ranks.
@Suite(.serialized) struct GradientTreeTests {
    /// Buckets in the order in which backward would finish them, with every awkward size.
    enum Cut: String, CaseIterable, Sendable {
        case one, falling, tiny, partial

        func buckets(_ elements: Int) -> [Range<Int>] {
            switch self {
            case .one: [0..<elements]
            case .falling: [elements / 2..<elements, elements / 3..<elements / 2, 17..<elements / 3, 0..<17]
            case .tiny: [elements - 1..<elements, 20..<20, 5..<8, 8..<25]
            case .partial: [16..<elements / 2 + 1]
            }
        }
    }

    @Test(arguments: [1, 2, 4, 8], Cut.allCases)
    func floatTotalsHaveTheBitsOfOneProcess(leafCount: Int, cut: Cut) throws {
        for elements in [100, 10_007] {
            try check(LeafGradients<Float>(leafCount: leafCount, elements: elements, seed: 1), cut)
        }
    }

    @Test(arguments: [1, 2, 4, 8], Cut.allCases)
    func doubleTotalsHaveTheBitsOfOneProcess(leafCount: Int, cut: Cut) throws {
        for elements in [100, 10_007] {
            try check(LeafGradients<Double>(leafCount: leafCount, elements: elements, seed: 2), cut)
        }
    }

    @Test func messagesOverEveryEagerLimitAddUp() throws {
        try check(LeafGradients<Float>(leafCount: 8, elements: 700_001, seed: 3), .falling)
    }

    /// Without this the tests above could pass for any order of additions.
    @Test func theDataTellsOrdersApart() {
        let gradients = LeafGradients<Float>(leafCount: 8, elements: 1000, seed: 1)
        let differing = (0..<1000).filter { gradients.sum(0..<8, $0) != gradients.chain($0) }.count
        #expect(differing > 100)
    }

    private func check<Scalar: DifferentiableScalar>(_ gradients: LeafGradients<Scalar>, _ cut: Cut) throws {
        let world = try TestWorld.communicator()
        let buckets = cut.buckets(gradients.elements)
        let own = RankArenas<Scalar>(
            leafCount: gradients.leafCount, elements: gradients.elements, rank: world.rank, size: world.size)
        let tree = GradientTree(
            arenas: own.arenas, buckets: buckets, leafCount: gradients.leafCount, communicator: world, owners: [own])
        for (number, bucket) in buckets.enumerated() {
            own.fill(gradients, in: bucket)
            try tree.start(bucket: number)
        }
        try tree.finish()
        let wrong = buckets.flatMap(\.self).filter {
            own.arenas[0][$0] != gradients.sum(0..<gradients.leafCount, $0)
        }
        #expect(wrong.isEmpty, "first wrong elements: \(wrong.prefix(5))")
        // Elements of no bucket are not touched: they still hold what the arena was made with.
        let covered = Set(buckets.flatMap(\.self))
        #expect((0..<gradients.elements).allSatisfy { covered.contains($0) || own.arenas[0][$0].isNaN })
    }

    /// Ranks compute at different speeds and finish buckets in different orders, over several steps, polling from a
    /// hook as a kernel does.
    @Test func ranksMayBeApartByAnything() throws {
        let world = try TestWorld.communicator()
        let elements = 50_000
        let buckets = [30_000..<50_000, 29_999..<30_000, 8..<29_999, 0..<8]
        let own = RankArenas<Float>(leafCount: 8, elements: elements, rank: world.rank, size: world.size)
        let tree = GradientTree(
            arenas: own.arenas, buckets: buckets, leafCount: 8, communicator: world, owners: [own], firstTag: 40)
        for step in 0..<6 {
            let gradients = LeafGradients<Float>(leafCount: 8, elements: elements, seed: step)
            own.fill(gradients, in: 0..<elements)
            for turn in buckets.indices {
                if (world.rank + step) % 2 == 0 {
                    usleep(2000)
                    for _ in 0..<50 { tree.hook() }
                }
                try tree.start(bucket: step % 2 == 0 ? turn : buckets.count - 1 - (turn + world.rank) % buckets.count)
            }
            try tree.finish()
            #expect((0..<elements).allSatisfy { own.arenas[0][$0] == gradients.sum(0..<8, $0) })
        }
    }

    /// Two sums on one communicator, under way together, told apart by their tags.
    @Test func twoTreesDoNotMeet() throws {
        let world = try TestWorld.communicator()
        let (one, two) = (
            LeafGradients<Float>(leafCount: 4, elements: 3000, seed: 5),
            LeafGradients<Float>(leafCount: 4, elements: 3000, seed: 6)
        )
        let arenas = [one, two].map { gradients in
            let arenas = RankArenas<Float>(leafCount: 4, elements: 3000, rank: world.rank, size: world.size)
            arenas.fill(gradients, in: 0..<3000)
            return arenas
        }
        let first = GradientTree(
            arenas: arenas[0].arenas, buckets: [0..<3000], leafCount: 4, communicator: world, owners: arenas)
        let second = GradientTree(
            arenas: arenas[1].arenas, buckets: [0..<3000], leafCount: 4, communicator: world, owners: arenas,
            firstTag: first.tags.upperBound)
        // Half of the ranks start them the other way round.
        for tree in world.rank % 2 == 0 ? [first, second] : [second, first] { try tree.start(bucket: 0) }
        try first.finish()
        try second.finish()
        #expect((0..<3000).allSatisfy { arenas[0].arenas[0][$0] == one.sum(0..<4, $0) })
        #expect((0..<3000).allSatisfy { arenas[1].arenas[0][$0] == two.sum(0..<4, $0) })
    }

    /// The spoiled transfer changes the sum: the exchange really carries what it claims to.
    @Test(.enabled(if: TestWorld.isUnderMPI)) func aCorruptedMessageShows() throws {
        let world = try TestWorld.communicator()
        guard world.size == 2 else { return }
        let faulty = FaultInjectingCommunicator(
            world, plan: world.rank == 0 ? FaultPlan(sends: [1: .corrupt(byte: 3)]) : FaultPlan())
        let gradients = LeafGradients<Float>(leafCount: 2, elements: 640, seed: 7)
        let own = RankArenas<Float>(leafCount: 2, elements: 640, rank: world.rank, size: 2)
        own.fill(gradients, in: 0..<640)
        let tree = GradientTree(
            arenas: own.arenas, buckets: [0..<640], leafCount: 2, communicator: faulty, owners: [own])
        try tree.start(bucket: 0)
        try tree.finish()
        let wrong = (0..<640).filter { own.arenas[0][$0] != gradients.sum(0..<2, $0) }
        #expect(wrong == [320])
    }

    /// A late message only delays; a lost one ends in an error that names bucket and peer, on the rank that waits.
    @Test(.enabled(if: TestWorld.isUnderMPI)) func aLostMessageIsNamed() throws {
        let world = try TestWorld.communicator()
        guard world.size == 2 else { return }
        for fault in [FaultPlan.Fault.delay(.milliseconds(20)), .drop] {
            let group = try world.duplicate()
            let plan = world.rank == 0 ? FaultPlan(sends: [1: fault]) : FaultPlan()
            let faulty = FaultInjectingCommunicator(group, plan: plan)
            let gradients = LeafGradients<Float>(leafCount: 2, elements: 640, seed: 8)
            let own = RankArenas<Float>(leafCount: 2, elements: 640, rank: world.rank, size: 2)
            own.fill(gradients, in: 0..<640)
            let tree = GradientTree(
                arenas: own.arenas, buckets: [0..<640], leafCount: 2, communicator: faulty, owners: [own])
            try tree.start(bucket: 0)
            if fault != .drop {
                try tree.finish()
                #expect((0..<640).allSatisfy { own.arenas[0][$0] == gradients.sum(0..<2, $0) })
            } else {
                let error = try #require(throws: CommError.self) { try tree.finish(limit: .milliseconds(100)) }
                #expect(error.kind == .timeout)
                #expect(
                    error.message.hasPrefix("sum of gradient bucket 0 of 1: rank \(world.rank) waits for 1280 bytes"))
            }
        }
        try world.barrier()
    }

    @Test func anErrorInTheHookIsThrownLater() throws {
        let world = try TestWorld.communicator()
        guard world.size == 2 else { return }
        let faulty = FaultInjectingCommunicator(world, plan: FaultPlan(sends: [2: .fail]))
        let gradients = LeafGradients<Float>(leafCount: 2, elements: 64, seed: 9)
        let own = RankArenas<Float>(leafCount: 2, elements: 64, rank: world.rank, size: 2)
        own.fill(gradients, in: 0..<64)
        let tree = GradientTree(
            arenas: own.arenas, buckets: [0..<64], leafCount: 2, communicator: faulty, owners: [own])
        try #require(throws: CommError.self) {
            try tree.start(bucket: 0)
            for _ in 0..<1000 {
                tree.hook()
                usleep(100)
            }
            try tree.finish()
        }
        try world.barrier()
    }

    @Test func forgettingABucketIsAProgrammersMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let arena = UnsafeMutablePointer<Float>.allocate(capacity: 4)
            let tree = GradientTree(
                arenas: [arena], buckets: [0..<2, 2..<4], leafCount: 1, communicator: SelfCommunicator())
            try tree.start(bucket: 1)
            try tree.finish()
        }
        #expect(
            Complaint.missing("GradientTree: bucket 0 was not started before finish", in: result?.standardErrorContent)
                == nil)
    }
}
