import BatonKernels
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct SequenceOperationTests {
    private func check(
        _ shapes: [[Int]], isTraining: Bool = false, sourceLocation: SourceLocation = #_sourceLocation,
        _ forward: ([Variable], ForwardContext) -> Variable
    ) {
        let inputs = shapes.enumerated().map { randomTensor($1, seed: UInt64($0 + 3)) }
        let violations = gradientViolations(inputs, leaves: .whole(rows: 5), isTraining: isTraining, forward)
        #expect(violations == [], sourceLocation: sourceLocation)
    }

    private func counted(_ shape: [Int]) -> Variable {
        Variable(Tensor((0..<shape.reduce(1, *)).map { Double($0) }, shape: shape))
    }

    private let context = ForwardContext.inference(rows: 5)

    @Test func splitCutsTheLastAxisAndJoinsTheGradients() {
        let parts = context.split(counted([2, 4]), into: 2)
        #expect(parts.map { $0.value.doubles() } == [[0, 1, 4, 5], [2, 3, 6, 7]])
        check([[3, 5, 6]]) { inputs, context in
            let parts = context.split(inputs[0], into: 3)
            return context.multiply(parts[0], context.tanh(parts[2]))
        }
    }

    @Test(arguments: [0, 1]) func unstackAndStackAreInverse(_ axis: Int) {
        let x = counted([2, 3, 2])
        let steps = context.unstack(x, axis: axis)
        #expect(steps.count == (axis == 0 ? 2 : 3))
        #expect(steps[1].value.doubles() == (axis == 0 ? [6, 7, 8, 9, 10, 11] : [2, 3, 8, 9]))
        #expect(context.stack(steps, axis: axis).value.doubles() == x.value.doubles())
        check([[3, 4, 2], [3, 4, 2]]) { inputs, context in
            var steps = context.unstack(context.multiply(inputs[0], inputs[1]), axis: axis)
            steps[0] = context.add(steps[0], context.multiply(steps[1], steps[2]))
            return context.stack(steps.reversed(), axis: axis)
        }
    }

    @Test(arguments: SequenceLayout.allCases) func maskingZeroesThePadding(_ layout: SequenceLayout) {
        let x = counted(layout == .TNC ? [2, 3, 1] : [3, 2, 1])
        let masked = context.maskSequence(x, lengths: [1, 2, 0], layout: layout).value.doubles()
        #expect(masked == (layout == .TNC ? [0, 1, 0, 0, 4, 0] : [0, 0, 2, 3, 0, 0]))
        let poison = Variable(Tensor([1, Double.nan, .infinity, 2], shape: [2, 2, 1]), requiresGradient: true)
        #expect(context.maskSequence(poison, lengths: [1, 0]).value.doubles() == [1, 0, 0, 0])
        check([layout == .TNC ? [4, 3, 2] : [3, 4, 2]]) {
            $1.tanh($1.maskSequence($0[0], lengths: [4, 0, 2], layout: layout))
        }
    }

    @Test(arguments: SequenceLayout.allCases) func reversingLeavesThePadding(_ layout: SequenceLayout) {
        let x = counted(layout == .TNC ? [3, 2, 1] : [2, 3, 1])
        let reversed = context.reverseSequence(x, lengths: [3, 2], layout: layout).value.doubles()
        #expect(reversed == (layout == .TNC ? [4, 3, 2, 1, 0, 5] : [2, 1, 0, 4, 3, 5]))
        let whole = context.reverseSequence(x, layout: layout).value.doubles()
        #expect(whole == (layout == .TNC ? [4, 5, 2, 3, 0, 1] : [2, 1, 0, 5, 4, 3]))
        check([layout == .TNC ? [4, 3, 2] : [3, 4, 2], [4, 3, 2]]) { inputs, context in
            let reversed = context.reverseSequence(inputs[0], lengths: [4, 0, 3], layout: layout)
            return context.multiply(
                layout == .TNC ? reversed : context.swapLeadingAxes(reversed), inputs[1])
        }
    }

    @Test(arguments: SequenceLayout.allCases) func theLastStepIsTheLastValidOne(_ layout: SequenceLayout) {
        let x = counted(layout == .TNC ? [3, 2, 1] : [2, 3, 1])
        #expect(
            context.lastStep(x, lengths: [3, 2], layout: layout).value.doubles()
                == (layout == .TNC ? [4, 3] : [2, 4]))
        check([layout == .TNC ? [4, 3, 2] : [3, 4, 2]]) {
            $1.tanh($1.lastStep($0[0], lengths: [4, 1, 2], layout: layout))
        }
    }

    @Test func lengthsOutsideTheSequenceAreAMistake() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let x = Variable(Tensor(zeros: [2, 2, 1]))
            _ = ForwardContext.inference(rows: 2).maskSequence(x, lengths: [3, 1])
        }
        #expect(
            Complaint.missing(
                "maskSequence: expected 2 lengths from 0 to 2, got [3, 1]", in: result?.standardErrorContent) == nil)
        let other = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let x = Variable(Tensor(zeros: [2, 2, 1]))
            _ = ForwardContext.inference(rows: 2).lastStep(x, lengths: [0, 1])
        }
        #expect(
            Complaint.missing("lastStep: expected lengths of at least 1, got [0, 1]", in: other?.standardErrorContent)
                == nil)
    }

    @Test func selectedRowsAndElementsGetTheirGradients() {
        check([[4, 3], [4, 3]]) { $1.tanh($1.selectRows([true, false, false, true], $0[0], $0[1])) }
        let mask = Tensor([0.0, 2, 0, 1, 1, 0], shape: [2, 3])
        check([[2, 3], [2, 3]]) { $1.tanh($1.select(mask, $0[0], $0[1])) }
        let picked = context.select(mask, counted([2, 3]), Variable(Tensor(repeating: -1.0, shape: [2, 3])))
        #expect(picked.value.doubles() == [-1, 1, -1, 3, 4, -1])
    }

    /// The recurrence of a cell: h_t = tanh(x_t·Wᵀ + h_{t−1}·Wᵀ), one product used twice a step.
    private func unroll(_ x: Variable, _ weight: Parameter, _ context: ForwardContext) -> Variable {
        let product = makeLinearProduct(units: 4, width: 4, dtype: .float64)
        product.update(weight: weight.data, bias: nil, training: true)
        var hidden = Variable(Tensor(zeros: [5, 4], dtype: .float64))
        let steps = context.unstack(x, axis: 0).map { step in
            let sum = context.add(
                context.linear(step, weight: weight, bias: nil, product: product),
                context.linear(hidden, weight: weight, bias: nil, product: product))
            hidden = context.tanh(sum)
            return hidden
        }
        return context.stack(steps, axis: 0)
    }

    @Test(arguments: leafPlans) func aProductUsedInEveryStepMatchesDifferences(_ leaves: LeafPlan) {
        let weight = Parameter(name: "w", shape: [4, 4], dtype: .float64)
        weight.setData(randomTensor([4, 4], seed: 1))
        let violations = gradientViolations(
            [randomTensor([3, 5, 4], seed: 3)], parameters: [weight], leaves: leaves
        ) { unroll($0[0], weight, $1) }
        #expect(violations == [])
    }

    /// Step by step each process would add its sums over rows at every step; then the order of additions, and the
    /// bits, would depend on how the rows are spread.
    @Test func aProductUsedInEveryStepKeepsItsBitsOnTwoProcesses() {
        let whole = LeafPlan.whole(rows: 8)
        func gradient(rows: Range<Int>, _ plan: LeafPlan) -> [Float] {
            let weight = Parameter(name: "w", shape: [3, 3])
            weight.setData(Tensor(zeros: [3, 3]))
            let arena = ParameterArena([weight], subtreeCount: plan.subtrees.count)
            let product = makeLinearProduct(units: 3, width: 3, dtype: .float32)
            product.update(weight: weight.data, bias: nil, training: true)
            let tape = Tape()
            let context = ForwardContext(tape: tape, leaves: plan)
            var random = SeededRandom(seed: 5)
            let outputs = (0..<6).map { _ in
                let all = random.array(8 * 3)
                let x = Tensor(rows.flatMap { all[$0 * 3..<$0 * 3 + 3] }.map { Float($0) }, shape: [rows.count, 3])
                return context.linear(Variable(x), weight: weight, bias: nil, product: product)
            }
            tape.backward(
                from: outputs.map { ($0, $0.value.copy()) }.map { output, seed in
                    seed.fill(1 / 3)
                    return (output, seed)
                })
            return arena.gradients[0].elements(as: Float.self)
        }
        let together = gradient(rows: 0..<8, whole)
        let first = gradient(rows: 0..<4, .part(rows: 8, leafCount: 8, rank: 0, size: 2))
        let second = gradient(rows: 4..<8, .part(rows: 8, leafCount: 8, rank: 1, size: 2))
        #expect(zip(first, second).map { $0 + $1 } == together)
    }
}
