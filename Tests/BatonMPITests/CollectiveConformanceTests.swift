import BatonComm
import BatonTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the collective operations must do, run on every kind of communicator and any number of ranks.
@Suite(.serialized) struct CollectiveConformanceTests {
    @Test(arguments: CommunicatorKind.available)
    func nobodyLeavesABarrierBeforeTheLastHasCome(kind: CommunicatorKind) throws {
        let group = try kind.make()
        for late in 0..<group.size {
            if group.rank == late { usleep(20_000) }
            let came = monotonicNanoseconds()
            try group.barrier()
            let left = monotonicNanoseconds()
            let times = ByteBlock(count: 16)
            times.bytes.storeBytes(of: came, as: UInt64.self)
            times.bytes.storeBytes(of: left, toByteOffset: 8, as: UInt64.self)
            let all = ByteBlock(count: 16 * group.size)
            try group.allGather(times.source, into: all.bytes)
            let arrivals = (0..<group.size).map { all.bytes.load(fromByteOffset: 16 * $0, as: UInt64.self) }
            let departures = (0..<group.size).map { all.bytes.load(fromByteOffset: 16 * $0 + 8, as: UInt64.self) }
            #expect(arrivals.allSatisfy { arrival in departures.allSatisfy { arrival <= $0 } })
        }
    }

    /// One clock for all processes of a machine.
    private func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @Test(arguments: CommunicatorKind.available, [0, 1, 4097, 300_001])
    func everyRootReachesEverybody(kind: CommunicatorKind, count: Int) throws {
        let group = try kind.make()
        for root in 0..<group.size {
            let truth = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ root) }
            let block = group.rank == root ? ByteBlock(truth) : ByteBlock(count: count)
            try group.broadcast(block.bytes, from: root)
            #expect(block.content == truth)
        }
    }

    @Test(arguments: CommunicatorKind.available, [0, 1, 5000, 100_000])
    func contributionsArriveInRankOrder(kind: CommunicatorKind, count: Int) throws {
        let group = try kind.make()
        let own = ByteBlock([UInt8](repeating: UInt8(group.rank + 1), count: count))
        let all = ByteBlock(count: count * group.size)
        try group.allGather(own.source, into: all.bytes)
        #expect(all.content == (0..<group.size).flatMap { [UInt8](repeating: UInt8($0 + 1), count: count) })
    }

    @Test(arguments: CommunicatorKind.available)
    func aRankWithAnotherSizeIsAnErrorOnAll(kind: CommunicatorKind) throws {
        let group = try kind.make()
        guard group.size > 1 else { return }
        let count = group.rank == group.size - 1 ? 16 : 8
        let (own, all) = (ByteBlock(count: count), ByteBlock(count: count * group.size))
        let error = try #require(throws: CommError.self) { try group.allGather(own.source, into: all.bytes) }
        #expect(error.kind == .countMismatch)
        #expect(error.message.hasPrefix("all-gather (collective operation "))
        #expect(error.message.contains("rank \(group.worldRanks[group.rank]) asked for \(count) bytes"))
        try group.barrier()
    }

    @Test(arguments: CommunicatorKind.available)
    func aRankThatStaysAwayIsMissed(kind: CommunicatorKind) throws {
        // A group of its own, because its ranks no longer count alike afterwards.
        let parent = try kind.make()
        let group = try parent.duplicate()
        guard group.size > 1 else { return }
        group.waitLimit = .milliseconds(100)
        if group.rank < group.size - 1 {
            let error = try #require(throws: CommError.self) { try group.barrier() }
            #expect(error.kind == .timeout)
            #expect(
                error.message.hasPrefix(
                    "barrier (collective operation 1 of its group): rank \(group.worldRanks[group.rank]) waits for"))
        }
        try parent.barrier()
    }

    @Test(arguments: CommunicatorKind.available)
    func differentOperationsDoNotPair(kind: CommunicatorKind) throws {
        let parent = try kind.make()
        let group = try parent.duplicate()
        guard group.size > 1 else { return }
        group.waitLimit = .milliseconds(100)
        // Rank 0 does another operation with as many bytes, which the others would take for theirs: an error, not foreign
        // bytes.
        let block = ByteBlock([UInt8](repeating: UInt8(group.rank + 1), count: 4))
        let all = ByteBlock(count: 4 * group.size)
        if group.rank == 0 {
            #expect(throws: CommError.self) { try group.allGather(block.source, into: all.bytes) }
            #expect(all.content.dropFirst(4).allSatisfy { $0 == 0 })
        } else {
            #expect(throws: CommError.self) { try group.broadcast(block.bytes, from: 0) }
        }
        #expect(block.content.allSatisfy { $0 == UInt8(group.rank + 1) })
        try parent.barrier()
    }
}
