import BatonKernels
import BatonTensor
import BatonTestSupport
import Glibc
import Testing

@Suite struct LossOperationTests {
    private func check(
        _ shape: [Int], sourceLocation: SourceLocation = #_sourceLocation,
        _ forward: (Variable, ForwardContext) -> Variable
    ) {
        let violations = gradientViolations([randomTensor(shape, seed: 3, scale: 2)], leaves: .whole(rows: 5)) {
            forward($0[0], $1)
        }
        #expect(violations == [], sourceLocation: sourceLocation)
    }

    private let context = ForwardContext.inference(rows: 5)

    private func softmax(_ row: ArraySlice<Double>) -> [Double] {
        let total = row.reduce(0) { $0 + exp($1) }
        return row.map { exp($0) / total }
    }

    @Test func classesAndProbabilitiesGiveTheMeanOverPositions() {
        let logits = randomTensor([2, 3, 4], seed: 1)
        let labels = [0, 3, 1, 2, 2, 0]
        let expected = (0..<2).map { sample in
            (0..<3).reduce(0.0) { sum, step in
                let position = sample * 3 + step
                let row = softmax(logits.doubles()[position * 4..<position * 4 + 4])
                return sum - log(row[labels[position]]) / 3
            }
        }
        let sparse = Tensor(labels.map { Int32($0) }, shape: [2, 3])
        let asFloats = Tensor(labels.map { Float($0) }, shape: [2, 3, 1])
        let oneHot = Tensor(labels.flatMap { label in (0..<4).map { $0 == label ? 1.0 : 0 } }, shape: [2, 3, 4])
        for label in [sparse, asFloats, oneHot] {
            let loss = context.crossEntropyLoss(Variable(logits), label: label)
            #expect(loss.shape == [2])
            #expect(Tolerance.violation("loss", loss.value.doubles(), expected, tolerance: 1e-14) == nil)
        }
        let logProbabilities = Tensor(
            (0..<6).flatMap { softmax(logits.doubles()[$0 * 4..<$0 * 4 + 4]).map { log($0) } }, shape: [2, 3, 4])
        let given = context.crossEntropyLoss(Variable(logProbabilities), label: sparse, fromLogits: true)
        #expect(Tolerance.violation("loss", given.value.doubles(), expected, tolerance: 1e-14) == nil)
    }

    @Test func theBatchAxisAndWeightsSelectWhatIsAveraged() {
        let logits = randomTensor([3, 2, 4], seed: 1)
        let labels = Tensor([Int32(0), 3, 1, 2, 2, 0], shape: [3, 2])
        let weights = Tensor([1.0, 0, 2], shape: [3, 1, 1])
        let loss = context.crossEntropyLoss(Variable(logits), label: labels, weights: weights, batchAxis: 1)
        let expected = (0..<2).map { sample in
            (0..<3).reduce(0.0) { sum, step in
                let position = step * 2 + sample
                let row = softmax(logits.doubles()[position * 4..<position * 4 + 4])
                return sum - [1.0, 0, 2][step] * log(row[labels.integers()[position]]) / 3
            }
        }
        #expect(Tolerance.violation("loss", loss.value.doubles(), expected, tolerance: 1e-14) == nil)
    }

    @Test func crossEntropyGradientsMatchDifferences() {
        let labels = Tensor([Int32(0), 3, 1, 2, 2, 0], shape: [2, 3])
        let weights = Tensor([1.0, 0.5, 2, 0, 1, 3], shape: [2, 3, 1])
        let dense = randomTensor([2, 3, 4], seed: 8)
        check([2, 3, 4]) { $1.crossEntropyLoss($0, label: labels) }
        check([2, 3, 4]) { $1.crossEntropyLoss($0, label: labels, weights: weights, batchAxis: 1) }
        check([2, 3, 4]) { $1.crossEntropyLoss($0, label: dense) }
        check([2, 3, 4]) { $1.crossEntropyLoss($0, label: dense, fromLogits: true, weights: weights) }
        check([2, 3, 4]) { $1.crossEntropyLoss($0, label: labels, fromLogits: true) }
    }

    @Test func elementLossesAverageOverAllButTheBatchAxis() {
        let prediction = Variable(Tensor([1.0, 2, 3, 4, 5, 6], shape: [3, 2]))
        let label = Tensor(repeating: 1.0, shape: [3, 2])
        func square(_ axis: Int, _ weights: Tensor? = nil) -> [Double] {
            context.elementLoss(prediction, label: label, weights: weights, batchAxis: axis, name: "square") {
                (($0 - $1) * ($0 - $1), 2 * ($0 - $1))
            }.value.doubles()
        }
        #expect(square(0) == [0.5, 6.5, 20.5])
        #expect(square(1) == [20.0 / 3, 35.0 / 3])
        #expect(square(0, Tensor([0.0, 2, 1], shape: [3, 1])) == [0, 13, 20.5])
        check([3, 2]) { variable, context in
            context.elementLoss(variable, label: label, name: "square") { (($0 - $1) * ($0 - $1), 2 * ($0 - $1)) }
        }
    }

    @Test func aClassThatDoesNotExistIsAMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let logits = Variable(Tensor(zeros: [1, 3]))
            _ = ForwardContext.inference(rows: 1).crossEntropyLoss(logits, label: Tensor([Int32(3)], shape: [1]))
        }
        #expect(
            Complaint.missing("crossEntropyLoss: label 3.0 is none of the 3 classes", in: result?.standardErrorContent)
                == nil)
    }
}
