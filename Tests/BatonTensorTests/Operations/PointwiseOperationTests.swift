import BatonKernels
import BatonTensor
import BatonTestSupport
import Glibc
import Testing

@Suite struct PointwiseOperationTests {
    private func check(
        _ shapes: [[Int]], parameters: [Parameter] = [], leaves: LeafPlan = .whole(rows: 5), isTraining: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation, _ forward: ([Variable], ForwardContext) -> Variable
    ) {
        let inputs = shapes.enumerated().map { randomTensor($1, seed: UInt64($0 + 3), scale: 2) }
        let violations = gradientViolations(
            inputs, parameters: parameters, leaves: leaves, isTraining: isTraining, forward)
        #expect(violations == [], sourceLocation: sourceLocation)
    }

    private let context = ForwardContext.inference(rows: 5)

    @Test func functionsHaveTheirValuesInBothTypes() {
        let points = [-40.0, -1, 0, 0.5, 40]
        func values(_ function: (ForwardContext, Variable) -> Variable) -> [[Double]] {
            [DType.float64, .float32].map { type in
                function(context, Variable(Tensor(points, shape: [5]).cast(to: type))).value.doubles()
            }
        }
        func expect(_ actual: [[Double]], _ expected: [Double]) {
            #expect(Tolerance.violation("f64", actual[0], expected, tolerance: 1e-15) == nil)
            let rounding = Tolerance.relative(epsilon: Double(Float.ulpOfOne), depth: 2)
            #expect(Tolerance.violation("f32", actual[1], expected, tolerance: rounding) == nil)
        }
        expect(values { $0.softsign($1) }, points.map { $0 / (1 + abs($0)) })
        expect(values { $0.softrelu($1) }, points.map { $0 > 30 ? $0 : log1p(exp($0)) })
        expect(values { $0.leakyRelu($1, slope: 0.1) }, points.map { $0 > 0 ? $0 : 0.1 * $0 })
        expect(values { $0.affine($1, scale: -1, shift: 1) }, points.map { 1 - $0 })
        expect(
            values { $0.elementWise($1, name: "square", { $0 * $0 }, derivative: { x, _ in 2 * x }) },
            points.map { $0 * $0 })
    }

    @Test func derivativesMatchDifferences() {
        check([[3, 7]]) { $1.softsign($0[0]) }
        check([[3, 7]]) { $1.softrelu($0[0]) }
        check([[3, 7]]) { $1.leakyRelu($0[0], slope: 0.3) }
        check([[3, 7]]) { $1.affine($0[0], scale: -2, shift: 5) }
        check([[3, 7], [3, 7]]) { $1.tanh($1.subtract($0[0], $0[1])) }
        check([[3, 7]]) { $1.elementWise($0[0], name: "sine", { sin($0) }, derivative: { x, _ in cos(x) }) }
    }

    @Test(arguments: leafPlans) func layerNormMatchesDifferences(_ leaves: LeafPlan) {
        let gain = Parameter(name: "gain", shape: [6], dtype: .float64)
        gain.setData(randomTensor([6], seed: 1))
        let bias = Parameter(name: "bias", shape: [6], dtype: .float64)
        bias.setData(randomTensor([6], seed: 2))
        check([[3, 5, 6], [5, 6]], parameters: [gain, bias], leaves: leaves) { inputs, context in
            let first = context.layerNorm(inputs[0], gain: gain, bias: bias)
            let second = context.layerNorm(inputs[1], gain: gain, bias: bias, epsilon: 0.1)
            return context.concatenate([first, context.reshape(second, to: [1, 5, 6])], axis: 0)
        }
    }

    /// A gain of two normalisations with a bias each, a bias of two with a gain each, and one parameter as both.
    @Test(arguments: leafPlans) func parametersSharedBetweenNormalizationsMatchDifferences(_ leaves: LeafPlan) {
        let parameters = (0..<4).map { Parameter(name: "p\($0)", shape: [6], dtype: .float64) }
        for (index, parameter) in parameters.enumerated() { parameter.setData(randomTensor([6], seed: UInt64(index))) }
        check([[3, 5, 6]], parameters: parameters, leaves: leaves) { inputs, context in
            let uses = [(0, 1), (0, 2), (3, 2), (1, 1)]
            return context.concatenate(
                uses.map { context.layerNorm(inputs[0], gain: parameters[$0], bias: parameters[$1]) }, axis: 0)
        }
    }

    @Test func softmaxAndSumsOverAnAxisMatchDifferences() {
        check([[3, 5, 6], [5, 6]]) { inputs, context in
            let joined = context.concatenate(
                [context.softmax(inputs[0]), context.reshape(context.logSoftmax(inputs[1]), to: [1, 5, 6])], axis: 0)
            let (first, middle) = (context.sum(joined, axis: 0), context.mean(joined, axis: 1))
            return context.concatenate(
                [
                    context.mean(first, axis: 1), context.sum(middle, axis: 1),
                    context.reshape(context.sum(joined, axis: 2), to: [20]),
                ],
                axis: 0)
        }
    }

    @Test func softmaxIsADistributionAlsoOfLargeNumbers() {
        let x = Variable(Tensor([Float(1000), 1001, -1000, 0, 0, 0], shape: [2, 3]))
        let p = context.softmax(x).value.doubles()
        let logarithms = context.logSoftmax(x).value.doubles()
        #expect(abs(p[0] + p[1] - 1) < 1e-6 && p[2] == 0 && abs(p[1] / p[0] - exp(1)) < 1e-4)
        #expect(p[3...].allSatisfy { abs($0 - 1 / 3) < 1e-7 })
        #expect(abs(logarithms[2] + 2001.3133) < 1e-3 && abs(logarithms[4] + log(3)) < 1e-6)
    }

    @Test func layerNormHasMeanBiasAndUnitVariance() {
        let gain = Parameter(name: "gain", shape: [100])
        gain.setData(Tensor(repeating: Float(2), shape: [100]))
        let bias = Parameter(name: "bias", shape: [100])
        bias.setData(Tensor(repeating: Float(3), shape: [100]))
        let x = Variable(randomTensor([5, 100], seed: 4, scale: 9).cast(to: .float32))
        let y = context.layerNorm(x, gain: gain, bias: bias).value.doubles()
        for row in 0..<5 {
            let values = y[row * 100..<(row + 1) * 100].map { ($0 - 3) / 2 }
            #expect(abs(values.reduce(0, +) / 100) < 1e-6)
            #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 100 - 1) < 1e-5)
        }
    }

    @Test func aSharedMaskIsEqualAlongItsAxesAndTheSameBackward() {
        var training = ForwardContext(isTraining: true, leaves: .whole(rows: 5), random: RandomKey(seed: 2))
        let ones = Variable(Tensor(repeating: 1.0, shape: [7, 5, 40]))
        let shared = training.dropout(ones, rate: 0.5, name: "d", sharedAxes: [0]).value.doubles()
        #expect(Set(shared) == [0, 2])
        #expect((1..<7).allSatisfy { Array(shared[$0 * 200..<($0 + 1) * 200]) == Array(shared[0..<200]) })
        let rows = training.dropout(ones, rate: 0.5, name: "d", sharedAxes: [1]).value.doubles()
        #expect(
            (0..<7).allSatisfy { step in rows[step * 200..<step * 200 + 40] == rows[step * 200 + 40..<step * 200 + 80] }
        )
        // A process that holds the later rows draws the same mask along the shared row axis.
        training.random.firstRow = 5
        #expect(training.dropout(ones, rate: 0.5, name: "d", sharedAxes: [1]).value.doubles() == rows)
        check([[3, 5, 9]], isTraining: true) { $1.dropout($0[0], rate: 0.4, name: "d", sharedAxes: [2]) }
        check([[5, 9]], isTraining: true) { $1.dropout($0[0], rate: 0.4, name: "d", sharedAxes: [0]) }
    }

    @Test func rateOneGivesZerosAndPredictionNothing() {
        let training = ForwardContext(isTraining: true, leaves: .whole(rows: 5))
        let ones = Variable(Tensor(repeating: 1.0, shape: [5, 3]))
        #expect(training.dropout(ones, rate: 1, name: "d", sharedAxes: []).value.doubles().allSatisfy { $0 == 0 })
        #expect(context.dropout(ones, rate: 1, name: "d", sharedAxes: []) === ones)
    }
}
