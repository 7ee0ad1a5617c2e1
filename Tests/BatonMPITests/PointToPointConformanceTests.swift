import BatonComm
import BatonTestSupport
import Testing

/// What every communicator must do with single messages, run on every kind and any number of ranks.
@Suite(.serialized) struct PointToPointConformanceTests {
    /// Around the borders where Open MPI changes its way of sending: 4 KiB in shared memory, 64 KiB over TCP.
    static let sizes = [0, 1, 7, 4095, 4096, 4097, 65_535, 65_537, 1 << 20 + 3]

    private func pattern(_ count: Int, from rank: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ rank &* 7 &+ $0 >> 8) }
    }

    @Test(arguments: CommunicatorKind.available)
    func messagesOfEverySizeTravelRoundTheRing(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        for size in Self.sizes {
            let (source, target) = (ByteBlock(pattern(size, from: group.rank)), ByteBlock(count: size))
            let send = try group.immediateSend(source.source, to: next, tag: 5)
            let receive = try group.immediateReceive(into: target.bytes, from: previous, tag: 5)
            try receive.wait(limit: .seconds(10))
            try send.wait(limit: .seconds(10))
            #expect(target.content == pattern(size, from: previous))
            #expect(try send.test() && receive.test(), "a finished request stays finished")
        }
    }

    @Test(arguments: CommunicatorKind.available)
    func everybodyExchangesWithEverybodyAtOnce(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let size = 100_000
        let source = ByteBlock(pattern(size, from: group.rank))
        let targets = (0..<group.size).map { _ in ByteBlock(count: size) }
        var requests: [any Request] = []
        for peer in 0..<group.size { requests.append(try group.immediateSend(source.source, to: peer, tag: 9)) }
        for peer in 0..<group.size {
            requests.append(try group.immediateReceive(into: targets[peer].bytes, from: peer, tag: 9))
        }
        try waitAll(requests, limit: .seconds(10))
        for peer in 0..<group.size { #expect(targets[peer].content == pattern(size, from: peer)) }
    }

    @Test(arguments: CommunicatorKind.available)
    func messagesOfOneTagKeepTheirOrder(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        let sources = (0..<20).map { ByteBlock([UInt8($0)]) }
        let targets = (0..<20).map { _ in ByteBlock(count: 1) }
        let sends = try sources.map { try group.immediateSend($0.source, to: next, tag: 2) }
        let receives = try targets.map { try group.immediateReceive(into: $0.bytes, from: previous, tag: 2) }
        try waitAll(sends + receives, limit: .seconds(10))
        #expect(targets.map { $0.content[0] } == (0..<20).map { UInt8($0) })
    }

    @Test(arguments: CommunicatorKind.available)
    func theOrderOfWaitingDoesNotMatter(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        let sources = (0..<4).map { start in ByteBlock((0..<30_000).map { UInt8(($0 + start) % 251) }) }
        let targets = (0..<4).map { _ in ByteBlock(count: 30_000) }
        let receives = try targets.map { try group.immediateReceive(into: $0.bytes, from: previous, tag: 2) }
        let sends = try sources.map { try group.immediateSend($0.source, to: next, tag: 2) }
        for receive in receives.reversed() { try receive.wait(limit: .seconds(10)) }
        try waitAll(sends, limit: .seconds(10))
        #expect(zip(targets, sources).allSatisfy { $0.content == $1.content })
    }

    @Test(arguments: CommunicatorKind.available)
    func tagsTellMessagesApart(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        let highest = MessageTag.userRange.upperBound - 1
        let (first, second) = (ByteBlock([1]), ByteBlock([2]))
        let (forFirst, forSecond) = (ByteBlock(count: 1), ByteBlock(count: 1))
        let sends = [
            try group.immediateSend(first.source, to: next, tag: 0),
            try group.immediateSend(second.source, to: next, tag: highest),
        ]
        try group.immediateReceive(into: forSecond.bytes, from: previous, tag: highest).wait(limit: .seconds(10))
        try group.immediateReceive(into: forFirst.bytes, from: previous, tag: 0).wait(limit: .seconds(10))
        try waitAll(sends, limit: .seconds(10))
        #expect(forFirst.content == [1] && forSecond.content == [2])
    }

    @Test(arguments: CommunicatorKind.available, [(8, 4), (8, 12), (200_000, 100_000), (100_000, 200_000)])
    func anotherLengthThanAskedForIsAnError(kind: CommunicatorKind, lengths: (sent: Int, asked: Int)) throws {
        let group = try kind.make()
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        let source = ByteBlock(count: lengths.sent)
        // The buffer and, right behind it, bytes that must stay.
        let memory = ByteBlock([UInt8](repeating: 0xAB, count: lengths.asked + lengths.sent))
        let target = UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<lengths.asked])
        let receive = try group.immediateReceive(into: target, from: previous, tag: 4)
        let send = try group.immediateSend(source.source, to: next, tag: 4)
        let error = try #require(throws: CommError.self) { try receive.wait(limit: .seconds(10)) }
        #expect(error.kind == .countMismatch)
        #expect(
            error.message.contains("asked for \(lengths.asked) bytes from ")
                && error.message.contains("(tag 4) but \(lengths.sent) came"))
        #expect(
            memory.content.dropFirst(lengths.asked).allSatisfy { $0 == 0xAB },
            "nothing is written past the end of the buffer")
        #expect(throws: error, "the error stays") { try receive.test() }
        try send.wait(limit: .seconds(10))
        try group.barrier()
    }

    @Test(arguments: CommunicatorKind.available)
    func aWaitThatEndsWithoutAMessageSaysWhoWaitsForWhom(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let previous = (group.rank + group.size - 1) % group.size
        let target = ByteBlock(count: 8)
        let receive = try group.immediateReceive(into: target.bytes, from: previous, tag: 99)
        let start = ContinuousClock.now
        let error = try #require(throws: CommError.self) { try receive.wait(limit: .milliseconds(50)) }
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(error.kind == .timeout)
        #expect(error.message.hasPrefix("rank \(group.worldRanks[group.rank]) waits for 8 bytes from "))
        #expect(error.message.contains("(tag 99) since 0.05 seconds"))
        // Late is not lost: the same request still gets its message.
        try group.barrier()
        let source = ByteBlock([1, 2, 3, 4, 5, 6, 7, 8])
        let send = try group.immediateSend(source.source, to: (group.rank + 1) % group.size, tag: 99)
        try waitAll([receive, send], limit: .seconds(10))
        #expect(target.content == source.content)
    }

    @Test(arguments: CommunicatorKind.available)
    func aReceiveDroppedBeforeItsMessageCameIsWithdrawn(kind: CommunicatorKind) throws {
        let group = try kind.make()
        let (next, previous) = ((group.rank + 1) % group.size, (group.rank + group.size - 1) % group.size)
        do {
            let dropped = ByteBlock(count: 4)
            _ = try group.immediateReceive(into: dropped.bytes, from: previous, tag: 6)
        }
        try group.barrier()
        let (source, target) = (ByteBlock([9, 9, 9, 9]), ByteBlock(count: 4))
        let receive = try group.immediateReceive(into: target.bytes, from: previous, tag: 6)
        let send = try group.immediateSend(source.source, to: next, tag: 6)
        try waitAll([receive, send], limit: .seconds(10))
        #expect(target.content == [9, 9, 9, 9])
    }

    @Test(arguments: CommunicatorKind.available)
    func aMessageOverTheLimitIsRefused(kind: CommunicatorKind) throws {
        let group = try kind.make()
        // Never touched: refused by its length alone.
        let huge = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: 64), count: MessageTag.byteLimit + 1)
        let error = try #require(throws: CommError.self) { try group.immediateSend(huge, to: 0, tag: 0) }
        #expect(error.kind == .invalid && error.message.contains("cut it into parts"))
    }
}
