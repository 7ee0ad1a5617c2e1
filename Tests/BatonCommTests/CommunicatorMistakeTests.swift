import BatonComm
import BatonTestSupport
import Testing

/// A caller's mistake ends the process with a sentence, also in a release build.
@Suite struct CommunicatorMistakeTests {
    private func expect(_ result: ExitTest.Result?, says sentence: String) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains(sentence), "\(text)")
    }

    @Test func aPeerOutsideTheGroupIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try SelfCommunicator().immediateSend(ByteBlock([1]).source, to: 3, tag: 0)
        }
        expect(result, says: "Communicator: peer 3 is not one of the 1 ranks")
    }

    @Test func aRootOutsideTheGroupIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try SelfCommunicator().broadcast(ByteBlock([1]).bytes, from: 2)
        }
        expect(result, says: "Communicator: root 2 is not one of the 1 ranks")
    }

    @Test func aLayoutWithoutRanksIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ParallelLayout(replicas: 0)
        }
        expect(result, says: "ParallelLayout: expected counts of at least 1")
    }
}
