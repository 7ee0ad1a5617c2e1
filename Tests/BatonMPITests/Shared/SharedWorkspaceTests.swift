import BatonComm
import BatonMPITestSupport
import Testing

/// Shared memory, meetings and blocks on every kind of communicator and any number of ranks.
@Suite(.serialized) struct SharedWorkspaceTests {
    @Test(arguments: CommunicatorKind.available)
    func memoryIsZeroAndSeenByAll(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let memory = try group.sharedMemory(byteCount: 1000 + group.size)
        #expect(memory.bytes.count >= 1000 + group.size)
        #expect(memory.bytes.allSatisfy { $0 == 0 })
        try group.barrier()
        memory.bytes[1000 + group.rank] = UInt8(group.rank + 1)
        try group.barrier()
        #expect((0..<group.size).allSatisfy { memory.bytes[1000 + $0] == UInt8($0 + 1) })
        try group.barrier()
    }

    /// MPI itself fails on the first process, and the others wait for it for ever.
    @Test(arguments: CommunicatorKind.available)
    func moreThanTheMachineHasIsRefusedOnAll(kind: CommunicatorKind) throws {
        let group = try kind.make()
        guard group.size > 1 else { return }
        let error = #expect(throws: CommError.self) { try group.sharedMemory(byteCount: 1 << 50) }
        #expect(error?.kind == .invalid && error?.message.contains("/dev/shm has room for") == true, "\(error as Any)")
    }

    /// Every rank adds its neighbour's number of the round before; a meeting that lets one through too early, or shows
    /// it old memory, gives other sums.
    @Test(arguments: CommunicatorKind.available)
    func whatWasWrittenBeforeAMeetingIsReadAfterIt(kind: CommunicatorKind) throws {
        let workspace = try SharedWorkspace(try kind.make())
        let (rank, size) = (workspace.rank, workspace.size)
        let rounds = 3000
        let block = try workspace.block(byteCount: rounds * size * 8)
        let numbers = block.bytes.bindMemory(to: UInt64.self)
        var expected = (0..<size).map { UInt64($0) }
        for round in 0..<rounds {
            let before = round == 0 ? expected : (0..<size).map { numbers[(round - 1) * size + $0] }
            let next = (0..<size).map { before[$0] &* 3 &+ before[($0 + 1) % size] }
            #expect(before == expected)
            expected = (0..<size).map { expected[$0] &* 3 &+ expected[($0 + 1) % size] }
            numbers[round * size + rank] = next[rank]
            try workspace.meet()
        }
    }

    @Test(arguments: CommunicatorKind.available)
    func blocksThatAllLetGoOfAreUsedAgain(kind: CommunicatorKind) throws {
        let workspace = try SharedWorkspace(try kind.make())
        var held: [SharedBlock] = []
        for round in 0..<40 {
            held.append(try workspace.block(byteCount: 100_000 + round))
            if held.count > 2 { held.removeFirst() }
        }
        #expect(workspace.blockCount == 3)
        // One rank holds on to a block for longer.
        let kept = workspace.rank == 0 ? held : []
        held = []
        let third = try workspace.block(byteCount: 100_000)
        #expect(third.bytes.count == 7 << 14 && workspace.blockCount == 3)
        third.bytes[workspace.rank] = UInt8(workspace.rank + 1)
        try workspace.meet()
        #expect((0..<workspace.size).allSatisfy { third.bytes[$0] == UInt8($0 + 1) }, "all have the same")
        withExtendedLifetime(kept) {}
        let small = try workspace.block(byteCount: 10)
        #expect(workspace.blockCount == 3 && small.bytes.count == 7 << 14)
        let large = try workspace.block(byteCount: 1 << 20)
        #expect(workspace.blockCount == 4 && large.bytes.count == 1 << 20)
    }

    @Test(arguments: [(1, 1 << 16), (1 << 16, 1 << 16), (65_537, 5 << 14), (100_000, 7 << 14), (1 << 20, 1 << 20)])
    func blocksAreAtMostAQuarterTooLarge(byteCount: Int, capacity: Int) {
        #expect(SharedWorkspace.capacity(byteCount) == capacity)
        for count in stride(from: 1 << 16, to: 1 << 20, by: 4093) {
            let capacity = SharedWorkspace.capacity(count)
            #expect(capacity >= count && capacity <= count + count / 4)
        }
    }

    @Test func aRankThatAsksForAnotherBlockIsNoticed() throws {
        let workspace = try SharedWorkspace(try TestWorld.communicator())
        guard workspace.size > 1 else { return }
        let error = #expect(throws: CommError.self) {
            _ = try workspace.block(byteCount: workspace.rank == 1 ? 64 : 128)
        }
        #expect(error?.kind == .disagreement)
        #expect(error?.message.contains("in different places of the program") == true)
    }

    @Test func aRankThatDoesNotComeIsNamed() throws {
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let group = try world.duplicate()
        let workspace = try SharedWorkspace(group)
        group.waitLimit = .milliseconds(200)
        var polls = 0
        if world.rank != 1 {
            let error = #expect(throws: CommError.self) { try workspace.meet { polls += 1 } }
            #expect(error?.kind == .timeout)
            #expect(error?.message.contains("waits for rank 1, whose memory it shares") == true)
            #expect(polls > 0, "messages move while a rank is late")
        }
        try world.barrier()
    }

    /// Ranks 0 and 1 cannot share memory: ranks 2 and 3 could, and must not go on without them.
    @Test func aGridIsRefusedOnAllRanksIfOneGroupCannotShareMemory() throws {
        let world = try TestWorld.communicator()
        guard world.size > 1 else { return }
        let layout = ParallelLayout(
            replicas: world.size / (world.size == 4 ? 2 : world.size), shards: world.size == 4 ? 2 : world.size)
        let error = #expect(throws: CommError.self) {
            _ = try ProcessGrid(layout, world: FarApart(world, isFirst: true))
        }
        #expect(error?.message == "the ranks are on several machines.")
    }
}

/// A group whose first part has no memory in common.
private final class FarApart: Communicator {
    private let base: any Communicator
    private let isFirst: Bool

    init(_ base: any Communicator, isFirst: Bool) {
        self.base = base
        self.isFirst = isFirst
    }

    var rank: Int { base.rank }
    var size: Int { base.size }
    var waitLimit: Duration {
        get { base.waitLimit }
        set { base.waitLimit = newValue }
    }
    var waitPolicy: WaitPolicy { base.waitPolicy }
    var collectiveCount: CollectiveCount { base.collectiveCount }
    var sharedRoom: Int? { base.sharedRoom }

    func immediateSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws(CommError) -> any Request {
        try base.immediateSend(bytes, to: peer, tag: tag)
    }

    func immediateReceive(
        into bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
    ) throws(CommError) -> any Request {
        try base.immediateReceive(into: bytes, from: peer, tag: tag)
    }

    func duplicate() throws(CommError) -> any Communicator { try base.duplicate() }

    func split(color: Int?, key: Int) throws(CommError) -> (any Communicator)? {
        try base.split(color: color, key: key).map { FarApart($0, isFirst: color == 0) }
    }

    func sharedMemory(byteCount: Int) throws(CommError) -> SharedMemory {
        if isFirst { throw CommError(.invalid, "the ranks are on several machines.") }
        return try base.sharedMemory(byteCount: byteCount)
    }

    func abort(code: Int32) -> Never { base.abort(code: code) }
}
