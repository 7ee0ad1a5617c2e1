import BatonTensor
import BatonTestSupport
import Testing

@Suite struct TensorBlockTests {
    @Test func blocksOfEveryAxisAreCopiedAndAdded() {
        let whole = Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
        #expect(whole.block(1..<2, axis: 0).elements(as: Float.self) == (12..<24).map { Float($0) })
        #expect(whole.block(1..<3, axis: 1).elements(as: Float.self) == [4...11, 16...23].joined().map { Float($0) })
        #expect(whole.block(3..<4, axis: 2).elements(as: Float.self) == [3, 7, 11, 15, 19, 23])
        let target = Tensor(repeating: Float(1), shape: [1, 1, 4])
        target.addBlock(Tensor([Float(5), 6], shape: [1, 1, 2]), axis: 2, targetStart: 1)
        #expect(target.elements(as: Float.self) == [1, 6, 7, 1])
    }

    @Test func aBlockThatDoesNotFitIsAMistake() async {
        let beyond = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Tensor(zeros: [2, 3]).copyBlock(
                from: Tensor(zeros: [2, 3]), axis: 1, sourceStart: 1, targetStart: 2, count: 2)
        }
        #expect(
            Complaint.missing(
                "Tensor.copyBlock: entries 1..<3 of axis 1 of [2, 3] do not fit [2, 3] from 2",
                in: beyond?.standardErrorContent) == nil)
        let other = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Tensor(zeros: [2, 3]).addBlock(Tensor(zeros: [3, 1]), axis: 1, targetStart: 0)
        }
        #expect(
            Complaint.missing(
                "Tensor.addBlock: expected [2, 3] float32 but for axis 1, got [3, 1] float32",
                in: other?.standardErrorContent) == nil)
    }
}
