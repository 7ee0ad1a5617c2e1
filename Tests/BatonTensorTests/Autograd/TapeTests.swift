import BatonKernelABI
import BatonKernels
import BatonTensor
import Testing

@Suite struct TapeTests {
    @Test func gradientReadyFiresOncePerParameterAfterItsLastUse() {
        let weight = Parameter(name: "w", shape: [4, 4], dtype: .float64)
        weight.setData(randomTensor([4, 4], seed: 1))
        let bias = Parameter(name: "b", shape: [4], dtype: .float64)
        bias.setData(randomTensor([4], seed: 2))
        let arena = ParameterArena([bias, weight])
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: 5))
        let product = makeLinearProduct(units: 4, width: 4, dtype: .float64)
        product.update(weight: weight.data, bias: bias.data, training: true)
        let x = Variable(randomTensor([2, 5, 4], seed: 3), requiresGradient: true)
        let tied = context.linear(x, weight: weight, bias: nil, product: product)
        let y = context.linear(context.tanh(tied), weight: weight, bias: bias, product: product)
        var ready: [String] = []
        var seen: [[Double]] = []
        tape.gradientReady = { parameter in
            ready.append(parameter.name)
            seen.append(parameter.gradients[0].elements(as: Double.self))
        }
        tape.backward(from: [(y, randomTensor(y.shape, seed: 4))])
        #expect(ready == ["b", "w"])
        #expect(seen[1] == weight.gradients[0].elements(as: Double.self))
        #expect(tape.nodeCount == 0)
        #expect(x.gradient != nil)
        #expect(y.gradient == nil && tied.gradient == nil)
        withExtendedLifetime(arena) {}
    }

    /// A kernel knows only its own part of a gradient: rows are final when no other node adds to the parameter.
    @Test func finishedRowsAreToldOnlyByTheLastUseOfAParameter() {
        let parameters = ["shared", "own"].map { Parameter(name: $0, shape: [2]) }
        for parameter in parameters { parameter.setData(Tensor(zeros: [2])) }
        let tape = Tape()
        let seed = Variable(Tensor(zeros: [1]))
        var told: [String] = []
        for (name, used) in [("first", [0]), ("second", [0, 1]), ("third", [1])] {
            tape.record(
                TapeNode(
                    name: name, outputs: [seed], parameters: used.map { parameters[$0] }, backwardData: { _ in },
                    backwardWeights: { if $0.finishedFunction != nil { told.append(name) } },
                    completion: { if $0.finishedFunction != nil { told.append(name + " completed") } }))
        }
        tape.backward(from: [(seed, Tensor(zeros: [1]))], hook: StepHook(finishedFunction: { _, _, _ in }))
        #expect(told == ["first", "first completed"])
    }

    @Test func aComputationWithoutGradientIsNotRecorded() {
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: 2))
        _ = context.tanh(Variable(randomTensor([2, 3], seed: 1)))
        #expect(tape.nodeCount == 0)
    }

    @Test func anUnusedBranchGetsNoGradientButItsParametersAreReported() {
        let table = Parameter(name: "table", shape: [3, 2], dtype: .float64)
        table.setData(randomTensor([3, 2], seed: 1))
        let arena = ParameterArena([table])
        let tape = Tape()
        let context = ForwardContext(tape: tape, leaves: .whole(rows: 2))
        _ = context.embedding(Tensor([Int32(0), 1], shape: [2]), weight: table)
        let x = Variable(randomTensor([2, 2], seed: 2), requiresGradient: true)
        let y = context.tanh(x)
        var ready: [String] = []
        tape.gradientReady = { ready.append($0.name) }
        tape.backward(from: [(y, randomTensor([2, 2], seed: 3))])
        #expect(ready == ["table"])
        #expect(table.gradients[0].elements(as: Double.self) == [0, 0, 0, 0, 0, 0])
        withExtendedLifetime(arena) {}
    }

    @Test func gradientRequirementsWriteAddAndNull() {
        func run(_ requirement: GradientRequirement, times: Int) -> [Double] {
            let table = Parameter(name: "table", shape: [2, 1], dtype: .float64, gradientRequirement: requirement)
            table.setData(Tensor([1.0, 2], shape: [2, 1]))
            let arena = ParameterArena([table])
            for _ in 0..<times {
                arena.beginStep()
                let tape = Tape()
                let context = ForwardContext(tape: tape, leaves: .whole(rows: 2))
                let y = context.embedding(Tensor([Int32(0), 0], shape: [2]), weight: table)
                tape.backward(from: [(y, Tensor([3.0, 4], shape: [2, 1]))])
            }
            return table.gradients.first?.elements(as: Double.self) ?? []
        }
        #expect(run(.write, times: 2) == [7, 0])
        #expect(run(.add, times: 2) == [14, 0])
        #expect(run(.null, times: 2) == [])
    }
}
