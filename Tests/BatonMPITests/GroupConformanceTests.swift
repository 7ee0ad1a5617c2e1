import BatonComm
import BatonTestSupport
import Testing

/// What groups made of groups must do, run on every kind of communicator and any number of ranks.
@Suite(.serialized) struct GroupConformanceTests {
    @Test(arguments: CommunicatorKind.available)
    func splittingByColorRanksByKey(kind: CommunicatorKind) throws {
        let group = try kind.make()
        // Even and odd ranks, the highest first.
        let part = try #require(try group.split(color: group.rank % 2, key: -group.rank))
        let members = (0..<group.size).filter { $0 % 2 == group.rank % 2 }.reversed().map(\.self)
        #expect(part.size == members.count)
        #expect(members[part.rank] == group.rank)
        #expect(part.worldRanks == members.map { group.worldRanks[$0] })
        let (own, all) = (ByteBlock([UInt8(group.rank)]), ByteBlock(count: part.size))
        try part.allGather(own.source, into: all.bytes)
        #expect(all.content == members.map { UInt8($0) })
    }

    @Test(arguments: CommunicatorKind.available)
    func aRankWithoutColorBelongsToNoGroup(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let part = try group.split(color: group.rank == 0 ? nil : 3, key: 0)
        if group.rank == 0 {
            #expect(part == nil)
        } else {
            #expect(part?.size == group.size - 1)
            #expect(part?.rank == group.rank - 1)
        }
    }

    @Test(arguments: CommunicatorKind.available)
    func aDuplicateKeepsItsMessagesToItself(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let copy = try group.duplicate()
        #expect(copy.rank == group.rank && copy.size == group.size)
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        let (one, two) = (ByteBlock([1]), ByteBlock([2]))
        let (inGroup, inCopy) = (ByteBlock(count: 1), ByteBlock(count: 1))
        // Sent in one order, received in the other, with equal tags.
        let sends = [
            try group.immediateSend(one.source, to: next, tag: 0), try copy.immediateSend(two.source, to: next, tag: 0),
        ]
        try copy.immediateReceive(into: inCopy.bytes, from: previous, tag: 0).wait(limit: .seconds(10))
        try group.immediateReceive(into: inGroup.bytes, from: previous, tag: 0).wait(limit: .seconds(10))
        try waitAll(sends, limit: .seconds(10))
        #expect(inGroup.content == [1] && inCopy.content == [2])
    }
}
