import BatonComm
import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport

@testable import BatonEngine

/// A stack with arrays for one window, and what a `RecurrentLayer` makes of them in one process.
struct StackCase: Sendable, CustomStringConvertible {
    var cell: RecurrentKind
    var layers = 3
    var bidirectional = true
    var steps = 7
    var rows = 11
    var input = 5
    var hidden = 19
    var projection: Int?
    var clip: StateClip?
    var dtype = DType.float32
    var dropout = 0.0
    var lengths: [Int]?

    var description: String {
        "\(cell) L\(layers)\(bidirectional ? " both" : "") T\(steps) N\(rows) H\(hidden) \(dtype)"
            + (projection.map { " P\($0)" } ?? "") + (dropout > 0 ? " dropout" : "")
            + (lengths == nil ? "" : " lengths")
    }

    /// Always with the same values.
    func stack() -> RecurrentLayer {
        let stack = RecurrentLayer.make(
            cell, hiddenSize: hidden, numLayers: layers, dropout: dropout, bidirectional: bidirectional,
            inputSize: input, projectionSize: projection, stateClip: clip, dtype: dtype,
            useSequenceLength: lengths != nil, prefix: "case_")
        stack.initialize(UniformInitializer(0.3), seed: 3)
        return stack
    }

    /// Whole arrays.
    struct Arrays {
        var input: Tensor
        var states: [Tensor]
        var outputGradient: Tensor
        var stateGradients: [Tensor]
    }

    func arrays() -> Arrays {
        var random = SeededRandom(seed: UInt64(steps * 100 + rows))
        func values(_ shape: [Int]) -> Tensor {
            Tensor(doubles: random.array(shape.reduce(1, *)), shape: shape, dtype: dtype)
        }
        let directions = bidirectional ? 2 : 1
        let width = projection ?? hidden
        func states() -> [Tensor] {
            [width, hidden].prefix(cell == .lstm ? 2 : 1).map { values([layers * directions, rows, $0]) }
        }
        return Arrays(
            input: values([steps, rows, input]), states: states(),
            outputGradient: values([steps, rows, directions * width]), stateGradients: states())
    }

    /// Dropout of a step in the middle of a run.
    var random: RandomKey { RandomKey(seed: 5, step: 3) }

    /// Everything a window makes, as bytes by name.
    typealias Results = [String: [UInt8]]

    /// What one process makes with the tape.
    func alone() -> Results {
        let (stack, arrays) = (stack(), arrays())
        ParameterArena(stack.collectParameters()).beginStep()
        let tape = Tape()
        let context = ForwardContext(
            tape: tape, isTraining: dropout > 0, leaves: .whole(rows: rows), random: random)
        let input = Variable(arrays.input, requiresGradient: true)
        let states = arrays.states.map { Variable($0, requiresGradient: true) }
        let (output, finals) = stack(input, states: states, sequenceLength: lengths, context)
        var results: Results = ["output": Array(output.value.bytes)]
        for (kind, final) in finals.enumerated() { results["final \(kind)"] = Array(final.value.bytes) }
        tape.backward(
            from: [(output, arrays.outputGradient)] + zip(finals, arrays.stateGradients).map { ($0, $1) })
        results["input gradient"] = Array(input.gradientAccumulator().bytes)
        for (kind, state) in states.enumerated() {
            results["initial gradient \(kind)"] = Array(state.gradientAccumulator().bytes)
        }
        for parameter in stack.directions.flatMap(\.parameters) {
            results[parameter.name] = Array(parameter.gradients[0].bytes)
        }
        return results
    }

    /// What a layout makes, on rank 0; empty elsewhere.
    func divided(_ layout: ParallelLayout, world: any Communicator, chunkLength: Int = 3) throws -> Results {
        let (stack, arrays) = (stack(), arrays())
        let parallel = try ParallelStack(
            stack, grid: ProcessGrid(layout, world: world), batchSize: rows, chunkLength: chunkLength)
        let own = lengths.map { Array($0[parallel.share.rows]) }
        let (output, finals) = try parallel.forward(
            parallel.rows(of: arrays.input), states: arrays.states.map { parallel.entries(of: $0) }, lengths: own,
            random: dropout > 0 ? random : nil, recordsGradients: true)
        let back = try parallel.backward(
            parallel.rows(of: arrays.outputGradient),
            states: arrays.stateGradients.map { parallel.entries(of: $0) })
        var results: Results = [:]
        if let whole = try parallel.collect(output: output, steps: steps) { results["output"] = Array(whole.bytes) }
        if let whole = try parallel.collect(inputGradient: back.input, steps: steps) {
            results["input gradient"] = Array(whole.bytes)
        }
        for (kind, whole) in try parallel.collect(states: finals).enumerated() {
            results["final \(kind)"] = Array(whole.bytes)
        }
        for (kind, whole) in try parallel.collect(states: back.states).enumerated() {
            results["initial gradient \(kind)"] = Array(whole.bytes)
        }
        for (parameter, whole) in zip(
            stack.directions.flatMap(\.parameters), try parallel.collectParameterGradients())
        {
            results[parameter.name] = Array(whole.bytes)
        }
        return results
    }

    /// The layouts of so many ranks that fit.
    func layouts(ranks: Int) -> [ParallelLayout] {
        var all: [ParallelLayout] = []
        for directions in bidirectional ? [1, 2] : [1] where ranks % directions == 0 {
            for stages in 1...layers where ranks / directions % stages == 0 {
                let rest = ranks / directions / stages
                for shards in canShard ? Array(1...rest) : [1] where rest % shards == 0 {
                    let replicas = rest / shards
                    if replicas <= LeafPlan.leafCount(rows: rows) {
                        all.append(
                            ParallelLayout(
                                replicas: replicas, stages: stages, directions: directions, shards: shards))
                    }
                }
            }
        }
        return all
    }

    private var canShard: Bool {
        !bidirectional && dtype == .float32 && KernelSelection.active.backend == .packed
    }
}
