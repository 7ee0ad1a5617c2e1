import BatonKernelABI
import BatonKernels
import Testing

/// A caller's mistake ends the process with a sentence, also in a release build.
@Suite struct KernelMistakeTests {
    private func expect(_ result: ExitTest.Result?, says sentence: String) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains(sentence), "\(text)")
    }

    @Test func subtreesThatAreNoTreesAreNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = LeafPlan(leaves: [0..<1, 1..<2, 2..<3], subtrees: [0..<3])
        }
        expect(result, says: "LeafPlan: a subtree must hold a power of two of leaves, got [Range(0..<3)]")
    }

    @Test func widthsThatCannotBeAreNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = RecurrentShape(cell: .lstm, inputChains: [3, 0], hidden: 5, projection: 2)
        }
        expect(result, says: "RecurrentShape: expected positive widths, got inputs [3, 0], H = 5, P = 2")
    }

    @Test func aBackwardPassWithoutItsForwardPassIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let shape = RecurrentShape(cell: .gru, inputChains: [2], hidden: 3)
            let sequence = Double.makeRecurrentSequence(
                weights: Double.makeRecurrentWeights(shape, backend: .blas), steps: 2, batch: 1, reverse: false,
                leaves: .whole(rows: 1))
            withUnsafeTemporaryAllocation(of: Double.self, capacity: 8) { memory in
                guard let base = memory.baseAddress else { return }
                let forward = RecurrentForward(
                    input: UnsafePointer(base), inputStrides: .timeMajor(batch: 1, width: 2), output: base,
                    outputStrides: .timeMajor(batch: 1, width: 3))
                sequence.backwardData(
                    steps: 0..<2, RecurrentBackwardData(outputGradient: nil), forward: forward, hook: .none)
            }
        }
        expect(result, says: "backwardData needs a complete forward pass and an update, both for training")
    }
}
