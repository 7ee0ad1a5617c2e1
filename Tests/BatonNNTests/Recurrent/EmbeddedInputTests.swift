import BatonKernelABI
import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Layers that read embedded tokens, whose input product is made once for each token: the bits of layers that read the
/// same values and know nothing of them.
@Suite struct EmbeddedInputTests {
    private struct Case: CustomTestStringConvertible {
        var cell: RecurrentKind
        var layout = SequenceLayout.TNC
        var steps = 9
        var batch = 16
        var hidden = 37
        var bidirectional = false
        var dtype = DType.float32
        var precision = WeightPrecision.float32
        var testDescription: String {
            "\(cell) \(layout.rawValue) T\(steps) N\(batch) H\(hidden) \(bidirectional ? "both" : "one") \(dtype.rawValue) \(precision.rawValue)"
        }
    }

    private static let isPacked = KernelSelection.active.backend == .packed
    /// Reduced precision, and parts of the units, are for the packed kernels.
    private static let shards = isPacked ? [UnitShard.whole, UnitShard(index: 1, count: 2)] : [.whole]
    private static let cases = allCases.filter { isPacked || $0.precision == .float32 }
    private static let allCases: [Case] = RecurrentKind.allCases.flatMap { cell in
        [
            Case(cell: cell), Case(cell: cell, layout: .NTC), Case(cell: cell, steps: 40, batch: 3),
            Case(cell: cell, steps: 70, batch: 1, hidden: 16), Case(cell: cell, steps: 1, batch: 70),
            Case(cell: cell, layout: .NTC, hidden: 32, bidirectional: true), Case(cell: cell, dtype: .float64),
            Case(cell: cell, batch: 20, precision: .bfloat16), Case(cell: cell, steps: 30, batch: 4, precision: .int8),
        ]
    }

    /// Outputs, final states and gradients of the parameters, of two calls of the layer.
    private func run(_ example: Case, knowsTokens: Bool, recomputes: Bool = false) -> [[Double]] {
        let layer = RecurrentLayer.make(
            example.cell, hiddenSize: example.hidden, numLayers: 2, layout: example.layout,
            bidirectional: example.bidirectional, inputSize: 5, dtype: example.dtype, prefix: "layer_")
        layer.initialize(UniformInitializer(0.5), seed: 3)
        if recomputes { layer.recomputation = .chunks(of: 4) }
        let embedding = Embedding(
            inputDim: 9, outputDim: 5, layout: example.layout, dtype: example.dtype, prefix: "embedding_")
        embedding.initialize(UniformInitializer(1), seed: 8)
        let trains = example.precision == .float32
        layer.inferencePrecision = example.precision
        var result: [[Double]] = []
        for window in 0..<2 {
            let tape = Tape()
            let context = ForwardContext(
                tape: trains ? tape : nil, isTraining: trains, leaves: .whole(rows: example.batch))
            let shape = example.layout.shape(steps: example.steps, batch: example.batch, width: 1)
            let ids = (0..<example.steps * example.batch).map { Int32(($0 * $0 + window) % 7) }
            var input = embedding(Variable(Tensor(ids, shape: Array(shape.dropLast()))), context)
            #expect(input.repeatedRows?.distinct != nil)
            if !knowsTokens { input = Variable(input.value, requiresGradient: input.requiresGradient) }
            let states = layer.beginState(batchSize: example.batch, .ones)
            let (output, finals) = layer(input, states: states, context)
            result += ([output] + finals).map { $0.value.doubles() }
            guard trains else { continue }
            tape.backward(
                from: ([output] + finals).map { variable in
                    let ones = Tensor(zeros: variable.shape, dtype: example.dtype)
                    ones.fill(1)
                    return (variable, ones)
                })
            result += layer.collectParameters().map { $0.gradient.doubles() }
        }
        return result
    }

    @Test(arguments: cases.indices)
    func `the bits are those of an input that is only values`(number: Int) {
        let example = Self.cases[number]
        let (aware, plain) = (run(example, knowsTokens: true), run(example, knowsTokens: false))
        #expect(aware.count == plain.count && aware.count > 3)
        for (index, (aware, plain)) in zip(aware, plain).enumerated() {
            let areSame = bits(aware) == bits(plain)
            #expect(areSame, "\(example.testDescription): result \(index)")
        }
    }

    @Test(arguments: RecurrentKind.allCases)
    func `a layer that computes its gates again gives the same bits`(cell: RecurrentKind) {
        let example = Case(cell: cell, steps: 11)
        let (aware, plain) = (
            run(example, knowsTokens: true, recomputes: true), run(example, knowsTokens: false)
        )
        let areSame = aware.map { bits($0) } == plain.map { bits($0) }
        #expect(areSame)
    }

    @Test(arguments: RecurrentKind.allCases, shards)
    func `a window in ranges, or a part of the units, gives the same bits`(cell: RecurrentKind, shard: UnitShard) throws
    {
        let (steps, batch, hidden) = (12, 8, 40)
        let layer = RecurrentLayer.make(cell, hiddenSize: hidden, inputSize: 5, prefix: "layer_")
        layer.initialize(UniformInitializer(0.5), seed: 3)
        let embedding = Embedding(inputDim: 9, outputDim: 5, prefix: "embedding_")
        embedding.initialize(UniformInitializer(1), seed: 8)
        let ids = (0..<steps * batch).map { Int32($0 * $0 % 7) }
        let leaves = LeafPlan.whole(rows: batch)
        let input = embedding(Variable(Tensor(ids, shape: [steps, batch])), ForwardContext(leaves: leaves))
        func output(_ rows: RepeatedRows?, _ ranges: [Range<Int>]) -> [Float] {
            let output = Tensor(zeros: [steps, batch, hidden])
            let pass = layer.directions[0].begin(
                RecurrentOperands(input: input.value, output: output, repeatedInput: rows), leaves: leaves,
                training: false, shard: shard)
            for range in ranges { pass.forward(steps: range, hook: .none) }
            return output.elements(as: Float.self)
        }
        let plain = output(nil, [0..<steps])
        let rows = try #require(input.repeatedRows)
        for ranges in [[0..<steps], [0..<1, 1..<7, 7..<12]] {
            let areSame = bits(output(rows, ranges)) == bits(plain)
            #expect(areSame, "ranges \(ranges)")
        }
    }
}
