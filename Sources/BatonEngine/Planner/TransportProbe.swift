import BatonComm
import BatonTensor

/// Times messages between neighbours and sums over groups of ranks, all at once.
struct TransportProbe {
    private let world: any Communicator
    private let leafCount: Int
    /// Messages as large as those of a pipeline, and buckets as large as a gradient's.
    private static let messageBytes = 256 << 10
    private static let sumBytes = 2 << 20

    init(_ world: any Communicator, leafCount: Int) {
        self.world = world
        self.leafCount = leafCount
    }

    /// Seconds from sender to receiver, and seconds a byte costs each of them. Collective.
    ///
    /// Ranks 2k and 2k + 1 exchange messages; the slowest pair counts, because a schedule waits for the slowest.
    func messages() throws -> (latency: Double, byte: Double) {
        let peer = world.rank ^ 1
        var values = [0.0, 0.0]
        try world.barrier()
        if peer < world.size {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Self.messageBytes, alignment: 64)
            defer { memory.deallocate() }
            memory.initializeMemory(as: UInt8.self, repeating: 0)
            values[0] = try exchange(memory, bytes: 8, peer: peer, rounds: 100)
            let large = try exchange(memory, bytes: Self.messageBytes, peer: peer, rounds: 12)
            values[1] = max(0, large - values[0]) / Double(2 * Self.messageBytes)
        }
        let all = try world.allGather(values)
        return (all.map { $0[0] }.max() ?? 0, all.map { $0[1] }.max() ?? 0)
    }

    /// The middle time of sending and receiving a message at once.
    private func exchange(
        _ memory: UnsafeMutableRawBufferPointer, bytes: Int, peer: Int, rounds: Int
    ) throws -> Double {
        let landing = UnsafeMutableRawBufferPointer(rebasing: memory[0..<bytes])
        let message = UnsafeRawBufferPointer(rebasing: memory[Self.messageBytes..<Self.messageBytes + bytes])
        var times: [Double] = []
        for _ in 0..<rounds {
            var watch = StopWatch()
            let receive = try world.immediateReceive(into: landing, from: peer, tag: 0)
            let send = try world.immediateSend(message, to: peer, tag: 0)
            try waitAll([receive, send], limit: world.waitLimit)
            times.append(watch.lap())
        }
        return times.sorted()[times.count / 2]
    }

    /// Seconds of an empty sum over so many replicas, and seconds of a byte of gradient. Collective.
    func sum(replicas: Int) throws -> (empty: Double, byte: Double) {
        guard let group = try world.split(color: world.rank / replicas, key: world.rank), group.size == replicas else {
            return (0, 0)
        }
        let small = try time(group, count: 64)
        let count = Self.sumBytes / MemoryLayout<Float>.stride
        return (small, max(0, try time(group, count: count) - small) / Double(Self.sumBytes))
    }

    private func time(_ group: any Communicator, count: Int) throws -> Double {
        let tensors = (0..<GradientTree<Float>.arenaCount(leafCount: leafCount, rank: group.rank, size: group.size))
            .map { _ in Tensor(zeros: [count]) }
        let buckets = stride(from: 0, to: count, by: 1 << 18).map { $0..<min($0 + 1 << 18, count) }
        let tree = GradientTree<Float>(
            tensors, buckets: buckets, leafCount: leafCount, communicator: group)
        var times: [Double] = []
        for _ in 0..<7 {
            try group.barrier()
            var watch = StopWatch()
            try tree.sum()
            times.append(watch.lap())
        }
        return times.sorted()[times.count / 2]
    }
}
