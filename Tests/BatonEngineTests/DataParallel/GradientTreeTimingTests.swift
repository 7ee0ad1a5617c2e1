import BatonComm
import BatonMPITestSupport
import Testing

@testable import BatonEngine

/// Prints what a sum costs: `BATON_TIMING=1 mpirun -n 2 …PackageTests.xctest … --filter GradientTreeTimingTests`.
/// No thresholds: the machines of a test run differ too much.
@Suite(.serialized, .enabled(if: LaunchEnvironment.processVariable("BATON_TIMING") != nil))
struct GradientTreeTimingTests {
    @Test(arguments: [(850_000, 1), (850_000, 4), (850_000, 12), (60_000, 4)])
    func aStepTakesThisLong(size: (elements: Int, buckets: Int)) throws {
        let world = try TestWorld.communicator()
        let own = RankArenas<Float>(leafCount: 8, elements: size.elements, rank: world.rank, size: world.size)
        for arena in own.arenas { arena.update(repeating: 1e-3, count: size.elements) }
        let buckets = (0..<size.buckets).map {
            size.elements * $0 / size.buckets..<size.elements * ($0 + 1) / size.buckets
        }
        let tree = GradientTree(
            arenas: own.arenas, buckets: buckets, leafCount: 8, communicator: world, owners: [own])
        var times: [Duration] = []
        for _ in 0..<60 {
            try world.barrier()
            let start = ContinuousClock.now
            for bucket in buckets.indices { try tree.start(bucket: bucket) }
            try tree.finish()
            times.append(ContinuousClock.now - start)
        }
        times.sort()
        if world.rank == 0 {
            print(
                "\(size.elements) floats, \(size.buckets) buckets, \(world.size) ranks: best \(times[0]), "
                    + "median \(times[30])"
            )
        }
        // A backward pass that finishes a bucket now and then and polls after every time step of 100 µs.
        var exposed: [Duration] = []
        for _ in 0..<60 {
            try world.barrier()
            var inside = Duration.zero
            for turn in 0..<40 {
                let computing = ContinuousClock.now
                while ContinuousClock.now - computing < .microseconds(100) {}
                let start = ContinuousClock.now
                if turn < buckets.count { try tree.start(bucket: turn) } else { try tree.poll() }
                inside += ContinuousClock.now - start
            }
            let start = ContinuousClock.now
            try tree.finish()
            exposed.append(inside + (ContinuousClock.now - start))
        }
        exposed.sort()
        if world.rank == 0 { print("  overlapped, polled every 100 µs: median \(exposed[30]) inside the sum") }
        let start = ContinuousClock.now
        for _ in 0..<1_000_000 { try tree.poll() }
        if world.rank == 0 { print("an idle poll: \((ContinuousClock.now - start) / 1_000_000)") }
    }
}
