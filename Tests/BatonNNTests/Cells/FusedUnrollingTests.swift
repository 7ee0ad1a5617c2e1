import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Layers against the cell stacks they unfuse into, stepped and on the fused kernels, forward and backward.
@Suite struct FusedUnrollingTests {
    private struct Run {
        var values: [[Double]]
        var gradients: [[Double]]
        var tapeNodes: Int
    }

    private func run(
        _ context: ForwardContext, _ parameters: [Parameter], inputShape: [Int],
        _ forward: (Variable, ForwardContext) -> [Variable]
    ) -> Run {
        let x = Variable(randomTensor(inputShape, seed: 5), requiresGradient: true)
        let tape = Tape()
        var context = context
        context.tape = tape
        let values = forward(x, context)
        let nodes = tape.nodeCount
        tape.backward(from: values.enumerated().map { ($1, randomTensor($1.shape, seed: 60 + UInt64($0))) })
        return Run(
            values: values.map { $0.value.doubles() },
            gradients: [x.gradient?.doubles() ?? []] + parameters.map { $0.gradient.doubles() }, tapeNodes: nodes)
    }

    private func expectEqual(
        _ actual: Run, _ expected: Run, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (index, pair) in zip(actual.values + actual.gradients, expected.values + expected.gradients).enumerated() {
            if let problem = Tolerance.violation("\(name) \(index)", pair.0, pair.1, scale: 1, tolerance: 1e-12) {
                Issue.record("\(problem)", sourceLocation: sourceLocation)
            }
        }
    }

    /// As in every layer of weights out of a file.
    @Test func aLayerWithoutAPrefixSharesItsParametersToo() throws {
        let layer = LSTM(hiddenSize: 4, numLayers: 2, bidirectional: true, inputSize: 3, prefix: "")
        layer.initialize(seed: 1)
        #expect(
            Set(try layer.unfuse().collectParameters().map { ObjectIdentifier($0) })
                == Set(layer.collectParameters().map { ObjectIdentifier($0) }))
    }

    /// All but the clipped ones, which no cell equals.
    @Test(arguments: StackCase.all.filter { $0.stateClip == nil }) func aLayerEqualsItsUnfusedStack(_ stack: StackCase)
        throws
    {
        let layer = stack.make()
        layer.initialize(UniformInitializer(0.7), seed: 3)
        for parameter in layer.collectParameters() where parameter.shape.count == 1 {
            parameter.initialize(overriding: UniformInitializer(0.5), seed: 4)
        }
        let cells = try layer.unfuse()
        #expect(cells.collectParameters().map(\.name).sorted() == layer.collectParameters().map(\.name).sorted())
        #expect(
            Set(cells.collectParameters().map { ObjectIdentifier($0) })
                == Set(layer.collectParameters().map { ObjectIdentifier($0) }))
        let context = ForwardContext(
            isTraining: true, leaves: .whole(rows: 3), random: RandomKey(seed: 1, step: 2))
        let shape = stack.layout == .TNC ? [4, 3, 3] : [3, 4, 3]
        let parameters = layer.collectParameters()
        let fused = run(context, parameters, inputShape: shape) { x, context in
            let states = layer.beginState(batchSize: 3)
            return [layer(x, states: states, sequenceLength: stack.lengths, context).output]
        }
        let lengths = stack.lengths.map { Tensor($0.map { Int64($0) }, shape: [3]) }
        for hybridized in [false, true] {
            cells.hybridize(active: hybridized)
            let unfused = run(context, parameters, inputShape: shape) { x, context in
                let result = cells.unroll(
                    x, layout: stack.layout, mergeOutputs: true, validLength: lengths, context)
                return [result.outputs.merged]
            }
            // Dropout included: the masks belong to the same names.
            expectEqual(unfused, fused, "\(stack) \(hybridized)")
            // One node for each layer and direction and a few around them, instead of dozens for each step.
            #expect((unfused.tapeNodes < 12 * stack.layers) == hybridized, "\(unfused.tapeNodes) nodes")
        }
    }

    /// The names of masks, with prefixes that do not end as automatic ones do.
    @Test(arguments: ["", "enc"]) func dropoutIsTheUnfusedStacksWithAnyPrefix(prefix: String) throws {
        let layer = GRU(hiddenSize: 4, numLayers: 2, dropout: 0.5, inputSize: 3, dtype: .float64, prefix: prefix)
        layer.initialize(seed: 3)
        let context = ForwardContext(isTraining: true, leaves: .whole(rows: 2), random: RandomKey(seed: 1))
        let x = Variable(randomTensor([5, 2, 3], seed: 1))
        let unfused = try layer.unfuse().unroll(x, layout: .TNC, mergeOutputs: true, context).outputs.merged
        #expect(
            Tolerance.violation(
                "output", unfused.value.doubles(), layer(x, context).value.doubles(), scale: 1, tolerance: 1e-13)
                == nil)
    }

    @Test func finalStatesAreTheLayersToo() throws {
        let layer = LSTM(hiddenSize: 4, numLayers: 2, bidirectional: true, inputSize: 3, dtype: .float64, prefix: "n_")
        layer.initialize(UniformInitializer(0.7), seed: 3)
        let cells = try layer.unfuse()
        cells.hybridize()
        let context = ForwardContext.inference(rows: 2)
        let x = Variable(randomTensor([5, 2, 3], seed: 1))
        let states = (0..<2).map { Variable(randomTensor([4, 2, 4], seed: 10 + UInt64($0))) }
        let expected = layer(x, states: states, context)
        // Cells: layer by layer, direction by direction, h and c; layers: all h, then all c.
        let initial = (0..<4).flatMap { slot in
            states.map { context.reshape(context.slice($0, axis: 0, slot..<slot + 1), to: [2, 4]) }
        }
        let result = cells.unroll(x, beginState: initial, layout: .TNC, mergeOutputs: true, context)
        for slot in 0..<4 {
            for kind in 0..<2 {
                let actual = result.states[slot * 2 + kind].value.doubles()
                let own = expected.states[kind].value[leading: slot..<slot + 1].doubles()
                #expect(Tolerance.violation("state", actual, own, scale: 1, tolerance: 1e-13) == nil)
            }
        }
    }

    @Test func sharedParametersFollowATrainingStep() {
        let cell = GRUCell(hiddenSize: 3, inputSize: 3, dtype: .float64, prefix: "g_")
        cell.initialize(seed: 1)
        cell.hybridize()
        let x = Variable(randomTensor([2, 4, 3], seed: 1))
        func output() -> [Double] {
            cell.unroll(x, mergeOutputs: true, .inference(rows: 2)).outputs.merged.value.doubles()
        }
        let before = output()
        cell.h2hBias.setData(Tensor(repeating: 0.5, shape: [9]))
        let after = output()
        cell.hybridize(active: false)
        #expect(after != before && Tolerance.violation("y", after, output(), tolerance: 1e-14) == nil)
    }

    @Test func cellsThatNoLayerEqualsKeepTheirSteps() {
        let context = ForwardContext(tape: Tape(), leaves: .whole(rows: 2))
        let x = Variable(randomTensor([2, 4, 3], seed: 1), requiresGradient: true)
        func nodes(_ cell: RecurrentCell) -> Int {
            cell.initialize(seed: 1)
            cell.hybridize()
            context.tape?.clear()
            _ = cell.unroll(x, mergeOutputs: true, context)
            return context.tape?.nodeCount ?? 0
        }
        let own = ActivationFunction(name: "tanh") { $1.scale($0, by: 0.5) }
        func rnn(_ activation: ActivationFunction) -> RNNCell {
            RNNCell(hiddenSize: 3, activation: activation, inputSize: 3, dtype: .float64)
        }
        #expect(nodes(rnn(.tanh)) < 8 && nodes(rnn(.relu)) < 8)
        #expect(nodes(rnn(own)) > 12 && nodes(rnn(.softsign)) > 12)
        #expect(nodes(GRUCell(hiddenSize: 3, inputSize: 3, resetAfter: false, dtype: .float64)) > 12)
        let watched = rnn(.tanh)
        var calls = 0
        _ = watched.registerForwardHook { _, _, _ in calls += 1 }
        #expect(nodes(watched) > 12 && calls == 4)
    }

    @Test(arguments: [false, true]) func projectedLayersAndLengthsUnfuseToo(_ bidirectional: Bool) throws {
        let layer = LSTM(
            hiddenSize: 5, numLayers: 2, bidirectional: bidirectional, inputSize: 3, projectionSize: 2,
            dtype: .float64, useSequenceLength: true, prefix: "p_")
        layer.initialize(UniformInitializer(0.7), seed: 3)
        let cells = try layer.unfuse()
        let lengths = [4, 0, 2]
        let context = ForwardContext(leaves: .whole(rows: 3))
        let parameters = layer.collectParameters()
        let fused = run(context, parameters, inputShape: [4, 3, 3]) { x, context in
            [layer(x, states: layer.beginState(batchSize: 3), sequenceLength: lengths, context).output]
        }
        for hybridized in [false, true] {
            cells.hybridize(active: hybridized)
            let unfused = run(context, parameters, inputShape: [4, 3, 3]) { x, context in
                let valid = Tensor(lengths.map { Int64($0) }, shape: [3])
                return [cells.unroll(x, layout: .TNC, validLength: valid, context).outputs.merged]
            }
            expectEqual(unfused, fused, "projected \(hybridized)")
            #expect((unfused.tapeNodes < 24) == hybridized, "\(unfused.tapeNodes) nodes")
        }
    }

    @Test func aClippedLayerDoesNotUnfuse() {
        let layer = LSTM(
            hiddenSize: 5, inputSize: 3, stateClip: StateClip(lower: -1, upper: 1), prefix: "c_")
        let error = #expect(throws: NNError.self) { _ = try layer.unfuse() }
        #expect(error?.message.contains("clips its states") == true)
    }
}
