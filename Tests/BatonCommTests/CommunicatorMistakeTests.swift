import BatonComm
import BatonTestSupport
import Testing

/// A caller's mistake ends the process with a sentence, also in a release build.
@Suite struct CommunicatorMistakeTests {
    @Test func aPeerOutsideTheGroupIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try SelfCommunicator().immediateSend(ByteBlock([1]).source, to: 3, tag: 0)
        }
        #expect(
            Complaint.missing("Communicator: peer 3 is not one of the 1 ranks", in: result?.standardErrorContent) == nil
        )
    }

    @Test func aRootOutsideTheGroupIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try SelfCommunicator().broadcast(ByteBlock([1]).bytes, from: 2)
        }
        #expect(
            Complaint.missing("Communicator: root 2 is not one of the 1 ranks", in: result?.standardErrorContent) == nil
        )
    }

    @Test func aLayoutWithoutRanksIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ParallelLayout(replicas: 0)
        }
        #expect(
            Complaint.missing("ParallelLayout: expected counts of at least 1", in: result?.standardErrorContent) == nil)
    }
}
