import Baton
import Testing

/// What the public signatures name is there after `import Baton` alone, which is all that this file imports.
@Suite struct UmbrellaTests {
    @Test func argumentsOfLayersCanBeNamed() {
        let layer = LSTM(
            hiddenSize: 3, inputSize: 2, projectionSize: 2,
            stateClip: StateClip(lower: -0.1, upper: 0.1, replacesNaN: true))
        layer.initialize(UniformInitializer(2), seed: 1)
        layer.recomputation = Recomputation.chunks(of: 2)
        let input = Variable(Tensor(repeating: Float(1), shape: [5, 1, 2]))
        let states = layer.beginState(batchSize: 1)
        let tape = Tape()
        let context = ForwardContext(tape: tape, isTraining: true, leaves: LeafPlan.whole(rows: 1), hook: StepHook.none)
        let cell = layer(input, states: states, context).states[1].value.doubles()
        #expect(cell.contains { abs($0) == Double(Float(0.1)) } && cell.allSatisfy { abs($0) <= Double(Float(0.1)) })
        layer.inferencePrecision = WeightPrecision.bfloat16
        let kind: RecurrentKind = layer.cell
        #expect(kind == .lstm && Dense(units: 1, activation: Activation.tanh).activation == .tanh)
    }
}
