import Baton

/// One size of `bench collective`: the sum of an array over all ranks in the fixed tree, beside plainer ways to move it.
struct CollectiveMeasurement: Encodable {
    var bytes: Int
    /// The fixed tree: every rank adds a slice and spreads it. Microseconds, the middle of all repetitions, of the
    /// slowest rank; so are the others.
    var treeMicroseconds: Double
    /// Everything to everybody, and every rank adds all of it.
    var gatherMicroseconds: Double
    /// From rank 0 to all, without a sum.
    var broadcastMicroseconds: Double
    /// To the next rank and from the one before, without a sum.
    var exchangeMicroseconds: Double

    /// Bytes of the array over the time of a sum.
    var treeGBytesPerSecond: Double { Double(bytes) / treeMicroseconds * 1e-3 }
    /// The same for gathering and adding.
    var gatherGBytesPerSecond: Double { Double(bytes) / gatherMicroseconds * 1e-3 }

    /// Measures an array of so many floats. Collective.
    ///
    /// - Parameter seconds: for each way.
    init(count: Int, seconds: Double, world: any Communicator) throws {
        let (rank, size) = (world.rank, world.size)
        bytes = count * MemoryLayout<Float>.stride
        // A leaf for every rank at least, as in training.
        var leafCount = 8
        while leafCount < size { leafCount *= 2 }
        let arenas = (0..<GradientTree<Float>.arenaCount(leafCount: leafCount, rank: rank, size: size))
            .map { _ in Tensor(zeros: [count]) }
        let buckets = stride(from: 0, to: count, by: 1 << 18).map { $0..<min($0 + 1 << 18, count) }
        let tree = GradientTree<Float>(
            arenas, buckets: buckets, leafCount: leafCount, communicator: world)
        treeMicroseconds = try Self.time(seconds, world) { try tree.sum() }
        let (own, all, sum) = (Tensor(zeros: [count]), Tensor(zeros: [size * count]), Tensor(zeros: [count]))
        let message = UnsafeMutableRawBufferPointer(start: own.rawPointer, count: own.byteCount)
        gatherMicroseconds = try Self.time(seconds, world) {
            try world.allGather(
                UnsafeRawBufferPointer(message),
                into: UnsafeMutableRawBufferPointer(start: all.rawPointer, count: all.byteCount))
            let (total, parts) = (sum.pointer(of: Float.self), UnsafePointer(all.pointer(of: Float.self)))
            total.update(from: parts, count: count)
            for part in 1..<size {
                Float.addElements(UnsafePointer(total), parts + part * count, into: total, count: count)
            }
        }
        broadcastMicroseconds = try Self.time(seconds, world) { try world.broadcast(message, from: 0) }
        let landing = UnsafeMutableRawBufferPointer(start: all.rawPointer, count: own.byteCount)
        exchangeMicroseconds = try Self.time(seconds, world) {
            let receive = try world.immediateReceive(into: landing, from: (rank + size - 1) % size, tag: 1 << 19)
            let send = try world.immediateSend(UnsafeRawBufferPointer(message), to: (rank + 1) % size, tag: 1 << 19)
            try waitAll([receive, send], limit: world.waitLimit)
        }
        withExtendedLifetime((own, all, sum)) {}
    }

    /// Microseconds of the slowest rank. All ranks make the same number of repetitions, begun together.
    private static func time(_ seconds: Double, _ world: any Communicator, _ work: () throws -> Void) throws -> Double {
        var trial = ContinuousClock.now
        for warm in 0..<3 {
            if warm == 2 { trial = .now }
            try work()
        }
        let single = try world.allGather(BestTime.elapsed(since: trial)).max() ?? 0
        var times: [Double] = []
        for _ in 0..<max(5, Int(min(seconds / max(single, 1e-7), 2000))) {
            try world.barrier()
            let start = ContinuousClock.now
            try work()
            times.append(BestTime.elapsed(since: start))
        }
        return 1e6 * (try world.allGather(median(times)).max() ?? 0)
    }
}
