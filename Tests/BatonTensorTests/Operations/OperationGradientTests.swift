import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct OperationGradientTests {
    private func check(
        _ shapes: [[Int]], isTraining: Bool = false, sourceLocation: SourceLocation = #_sourceLocation,
        _ forward: ([Variable], ForwardContext) -> Variable
    ) {
        let inputs = shapes.enumerated().map { randomTensor($1, seed: UInt64($0 + 3)) }
        let violations = gradientViolations(inputs, leaves: .whole(rows: 5), isTraining: isTraining, forward)
        #expect(violations == [], sourceLocation: sourceLocation)
    }

    @Test func additionPassesTheGradientToBothSides() {
        check([[2, 5, 3], [2, 5, 3]]) { $1.add($0[0], $0[1]) }
    }

    @Test func aVariableUsedTwiceCollectsBothContributions() {
        check([[4, 3]]) { $1.add($0[0], $1.multiply($0[0], $0[0])) }
    }

    @Test func multiplicationMatchesDifferences() {
        check([[2, 5, 3], [2, 5, 3]]) { $1.multiply($0[0], $0[1]) }
    }

    @Test func scalingMatchesDifferences() { check([[7]]) { $1.scale($0[0], by: -2.5) } }

    @Test(arguments: Activation.allCases) func activationsMatchDifferences(_ activation: Activation) {
        check([[3, 11]]) { $1.activate($1.scale($0[0], by: 3), activation) }
    }

    @Test func sumAndMeanMatchDifferences() {
        check([[3, 4]]) { $1.sum($1.multiply($0[0], $0[0])) }
        check([[3, 4]]) { $1.mean($1.tanh($0[0])) }
    }

    @Test func reshapingAndSwappingAxesMatchDifferences() {
        check([[2, 6]]) { $1.multiply($1.reshape($0[0], to: [3, 4]), $1.reshape($0[0], to: [3, 4])) }
        check([[2, 3, 4], [3, 2, 4]]) { $1.multiply($1.swapLeadingAxes($0[0]), $0[1]) }
    }

    @Test(arguments: [0, 1, 2]) func concatenationMatchesDifferences(_ axis: Int) {
        var other = [2, 3, 4]
        other[axis] = 5
        check([[2, 3, 4], other]) { $1.tanh($1.concatenate([$0[0], $0[1], $0[0]], axis: axis)) }
    }

    @Test(arguments: [0, 1, 2]) func slicingMatchesDifferences(_ axis: Int) {
        check([[3, 4, 5]]) { inputs, context in
            context.multiply(
                context.slice(inputs[0], axis: axis, 0..<2), context.slice(inputs[0], axis: axis, 1..<3))
        }
    }

    @Test func matmulMatchesDifferences() {
        check([[3, 5, 4], [6, 4]]) { $1.matmul($0[0], transposed: $0[1]) }
        check([[5, 4], [6, 4]]) { $1.matmul($0[0], transposed: $0[1]) }
    }

    @Test func dropoutUsesTheSameMaskBackward() {
        check([[3, 5, 70]], isTraining: true) { $1.dropout($0[0], rate: 0.4, name: "d") }
        check([[5, 3, 70]], isTraining: true) { $1.dropout($0[0], rate: 0.4, name: "d", layout: .NTC) }
    }

    @Test(arguments: leafPlans) func linearParametersMatchDifferences(_ leaves: LeafPlan) {
        let weight = Parameter(name: "w", shape: [3, 4], dtype: .float64)
        weight.setData(randomTensor([3, 4], seed: 1))
        let bias = Parameter(name: "b", shape: [3], dtype: .float64)
        bias.setData(randomTensor([3], seed: 2))
        let violations = gradientViolations(
            [randomTensor([2, 5, 4], seed: 3)], parameters: [weight, bias], leaves: leaves
        ) { inputs, context in
            let product = makeLinearProduct(units: 3, width: 4, dtype: .float64)
            product.update(weight: weight.data, bias: bias.data, training: true)
            return context.linear(inputs[0], weight: weight, bias: bias, product: product)
        }
        #expect(violations == [])
    }

    @Test(arguments: leafPlans) func embeddingRowsMatchDifferences(_ leaves: LeafPlan) {
        let weight = Parameter(name: "w", shape: [6, 3], dtype: .float64)
        weight.setData(randomTensor([6, 3], seed: 1))
        let ids = Tensor([Int32(0), 5, 0, 2, 1, 5, 5, 0, 0, 2, 4, 4, 5, 0, 1], shape: [3, 5])
        let violations = gradientViolations([], parameters: [weight], leaves: leaves) { _, context in
            context.embedding(ids, weight: weight)
        }
        #expect(violations == [])
    }

    /// Each leaf is one chain from the last step to the first, then the leaves are added as a tree. The numbers are
    /// chosen so that any other order rounds differently.
    @Test func embeddingRowsAreSummedInTheOrderOfTheLeafRule() {
        func gradient(_ values: [Float], rows: Int) -> Float {
            let weight = Parameter(name: "w", shape: [2, 1])
            weight.setData(Tensor([Float(0), 0], shape: [2, 1]))
            let arena = ParameterArena([weight])
            let tape = Tape()
            let context = ForwardContext(tape: tape, leaves: .whole(rows: rows))
            let steps = values.count / rows
            let y = context.embedding(Tensor(repeating: Int32(1), shape: [steps, rows]), weight: weight)
            tape.backward(from: [(y, Tensor(values, shape: [steps, rows, 1]))])
            return arena.gradients[0].elements(as: Float.self)[1]
        }
        // One row: ((1e8 + −1e8) + 1) = 1 from the end; from the start 1 is lost.
        #expect(gradient([1, -1e8, 1e8], rows: 1) == 1)
        // Three rows are the leaves 0 and 1–2: 1 + (1e8 − 1e8).
        #expect(gradient([1, 1e8, -1e8], rows: 3) == 1)
        // Four leaves: (1e8 + 1) + (−1e8 + 1) = 0 in f32.
        #expect(gradient([1e8, 1, -1e8, 1], rows: 4) == 0)
    }
}
