import BatonComm
import BatonTestSupport
import Testing

@Suite struct FaultInjectingCommunicatorTests {
    /// Sends one message to oneself and waits for it.
    private func exchange(_ content: [UInt8], on world: any Communicator) throws -> [UInt8] {
        let (source, target) = (ByteBlock(content), ByteBlock(count: content.count))
        let receive = try world.immediateReceive(into: target.bytes, from: 0, tag: 3)
        let send = try world.immediateSend(source.source, to: 0, tag: 3)
        try waitAll([receive, send], limit: .milliseconds(200))
        return target.content
    }

    @Test func withoutOrdersNothingChanges() throws {
        let world = FaultInjectingCommunicator(SelfCommunicator(), plan: FaultPlan())
        #expect(try exchange([1, 2, 3], on: world) == [1, 2, 3])
        #expect(world.sendCount == 1 && world.receiveCount == 1)
    }

    @Test func onlyTheOrderedSendIsCorrupted() throws {
        let world = FaultInjectingCommunicator(SelfCommunicator(), plan: FaultPlan(sends: [2: .corrupt(byte: 4)]))
        #expect(try exchange([1, 2, 3], on: world) == [1, 2, 3])
        #expect(try exchange([1, 2, 3], on: world) == [1, 0xFD, 3])
        #expect(try exchange([1, 2, 3], on: world) == [1, 2, 3])
    }

    @Test func aDroppedSendLeavesTheReceiverWaitingWithAName() throws {
        let world = FaultInjectingCommunicator(SelfCommunicator(), plan: FaultPlan(sends: [1: .drop]))
        let error = try #require(throws: CommError.self) { try exchange([1, 2, 3], on: world) }
        #expect(error.kind == .timeout)
        #expect(error.message.contains("rank 0 waits for 3 bytes from itself (tag 3)"))
    }

    @Test func aDroppedReceiveNeverFinishes() throws {
        let world = FaultInjectingCommunicator(SelfCommunicator(), plan: FaultPlan(receives: [1: .drop]))
        #expect(throws: CommError.self) { try exchange([1, 2, 3], on: world) }
    }

    @Test(arguments: [
        FaultPlan(sends: [1: .delay(.milliseconds(30))]), FaultPlan(receives: [1: .delay(.milliseconds(30))]),
    ])
    func aDelayedTransferArrivesLate(plan: FaultPlan) throws {
        let world = FaultInjectingCommunicator(SelfCommunicator(), plan: plan)
        let start = ContinuousClock.now
        #expect(try exchange([1, 2, 3], on: world) == [1, 2, 3])
        #expect(ContinuousClock.now - start >= .milliseconds(30))
    }

    @Test(arguments: [FaultPlan(sends: [1: .fail]), FaultPlan(receives: [1: .fail])])
    func anOrderedFailureIsThrown(plan: FaultPlan) throws {
        let world = FaultInjectingCommunicator(SelfCommunicator(), plan: plan)
        let error = try #require(throws: CommError.self) { try exchange([1], on: world) }
        #expect(error.kind == .injected)
        #expect(error.message.contains("1 of rank 0"))
    }

    @Test func aCorruptedReceiveIsAProgrammersMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = FaultPlan(receives: [1: .corrupt(byte: 0)])
        }
        #expect(Complaint.missing("FaultPlan: a receive cannot be corrupted", in: result?.standardErrorContent) == nil)
    }
}
