import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct SoftmaxCrossEntropyTests {
    private let targets = Tensor([Int32(3), 0, -1, 6, 2, 1, 1, 5, -1, 4], shape: [2, 5])

    @Test func gradientMatchesDifferencesAndIgnoresNegativeTargets() throws {
        let logits = randomTensor([2, 5, 7], seed: 4, scale: 3)
        let scale = 1.0 / 8
        let context = ForwardContext(tape: Tape(), leaves: .whole(rows: 5))
        let result = context.softmaxCrossEntropy(
            Variable(logits, requiresGradient: true), targets: targets, gradientScale: scale)
        let seed = try #require(result.seed)
        let memory = logits.pointer(of: Double.self)
        let expected = GradientCheck.centralDifferences(at: logits.elements(as: Double.self)) { point in
            memory.update(from: point, count: point.count)
            let value = context.softmaxCrossEntropy(Variable(logits), targets: targets, gradientScale: scale)
            return scale * value.leafSums.reduce(0, +)
        }
        #expect(
            Tolerance.violation(
                "logits", seed.gradient.elements(as: Double.self), expected, tolerance: 64 * GradientCheck.tolerance)
                == nil)
        #expect(result.leafCounts.reduce(0, +) == 8)
    }

    @Test func leavesHoldTheirOwnRows() {
        let logits = randomTensor([2, 5, 7], seed: 4)
        let whole = ForwardContext(leaves: .whole(rows: 5))
            .softmaxCrossEntropy(Variable(logits), targets: targets, gradientScale: 1)
        #expect(whole.leafSums.count == 4)
        for (leaf, rows) in LeafPlan.whole(rows: 5).leaves.enumerated() {
            var expected = 0.0
            for step in 0..<2 {
                for row in rows {
                    let position = step * 5 + row
                    let one = ForwardContext(leaves: .whole(rows: 1)).softmaxCrossEntropy(
                        Variable(logits.reshaped([10, 7])[leading: position..<position + 1]),
                        targets: targets.reshaped([10])[leading: position..<position + 1], gradientScale: 1)
                    expected += one.leafSums[0]
                }
            }
            #expect(whole.leafSums[leaf] == expected)
        }
    }

    @Test func hugeLogitsStayFinite() {
        let logits = Variable(Tensor([Float(1e4), -1e4, 0, 9_999], shape: [1, 4]), requiresGradient: true)
        let context = ForwardContext(tape: Tape(), leaves: .whole(rows: 1))
        let result = context.softmaxCrossEntropy(logits, targets: Tensor([Int64(1)], shape: [1]), gradientScale: 1)
        // −log softmax = 20000 + log(1 + e⁻¹).
        #expect(abs(result.leafSums[0] - 20_000.313_261_687_5) < 2e-3)
        #expect(result.seed?.gradient.elements(as: Float.self).allSatisfy { $0.isFinite } == true)
    }
}
