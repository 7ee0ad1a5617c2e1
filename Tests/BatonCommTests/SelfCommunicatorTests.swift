import BatonComm
import BatonTestSupport
import Testing

/// What only the group of one does; the rest is in the conformance suite of BatonMPITests.
@Suite struct SelfCommunicatorTests {
    @Test func nothingFinishesBeforeBothSidesAreThere() throws {
        let world = SelfCommunicator()
        let (source, target) = (ByteBlock([1, 2, 3]), ByteBlock(count: 3))
        let send = try world.immediateSend(source.source, to: 0, tag: 1)
        #expect(try !send.test())
        let other = try world.immediateReceive(into: target.bytes, from: 0, tag: 2)
        #expect(try !send.test())
        #expect(try !other.test())
        let receive = try world.immediateReceive(into: target.bytes, from: 0, tag: 1)
        #expect(try send.test() && receive.test())
        #expect(target.content == [1, 2, 3])
    }

    @Test func aDroppedTransferIsWithdrawn() throws {
        let world = SelfCommunicator()
        let target = ByteBlock(count: 1)
        do {
            let dropped = ByteBlock([7])
            _ = try world.immediateSend(dropped.source, to: 0, tag: 1)
        }
        let receive = try world.immediateReceive(into: target.bytes, from: 0, tag: 1)
        #expect(try !receive.test())
        let kept = ByteBlock([8])
        let send = try world.immediateSend(kept.source, to: 0, tag: 1)
        #expect(try send.test() && receive.test())
        #expect(target.content == [8])
    }

    @Test func twoGroupsNeverMeet() throws {
        let (one, two) = (SelfCommunicator(), try SelfCommunicator().duplicate())
        let (source, target) = (ByteBlock([1]), ByteBlock(count: 1))
        let send = try one.immediateSend(source.source, to: 0, tag: 0)
        let receive = try two.immediateReceive(into: target.bytes, from: 0, tag: 0)
        #expect(try !send.test() && !receive.test())
    }

    @Test func anImpossiblePeerIsAProgrammersMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let block = UnsafeRawBufferPointer(start: nil, count: 0)
            _ = try SelfCommunicator().immediateSend(block, to: 1, tag: 0)
        }
        #expect(Complaint.missing("peer 1 is not one of the 1 ranks", in: result?.standardErrorContent) == nil)
    }

    @Test func abortLeavesWithItsCode() async {
        await #expect(processExitsWith: .exitCode(7)) { SelfCommunicator().abort(code: 7) }
    }
}
