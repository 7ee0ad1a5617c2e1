import BatonKernels
import BatonNN
import BatonTensor
import Testing

/// One batch on 1, 2, 3 or 4 processes, played one after the other: the same bits in the loss and in every gradient.
@Suite struct SplitBatchTests {
    private let rows = 11
    private let steps = 5
    private let vocabulary = 13

    private func makeModel(_ dtype: DType, layout: SequenceLayout) -> Sequential {
        let model = Sequential(
            prefix: "",
            [
                Embedding(inputDim: vocabulary, outputDim: 9, layout: layout, dtype: dtype, prefix: "table_"),
                LSTM(
                    hiddenSize: 10, numLayers: 2, layout: layout, dropout: 0.3, bidirectional: true, inputSize: 9,
                    dtype: dtype, prefix: "net_"),
                Dropout(rate: 0.2, layout: layout, prefix: "drop_"),
                Dense(units: vocabulary, inUnits: 20, layout: layout, dtype: dtype, prefix: "head_"),
            ])
        PyTorchInitialization.initialize(model, seed: 4)
        return model
    }

    private struct Share {
        var lossSums: [Double]
        var counts: [Int]
        /// Of the local subtrees.
        var gradients: SubtreeGradients
    }

    private func run(_ dtype: DType, layout: SequenceLayout, rank: Int, of size: Int) -> Share {
        let leafCount = LeafPlan.leafCount(rows: rows)
        let plan = LeafPlan.part(rows: rows, leafCount: leafCount, rank: rank, size: size)
        let firstLeaf = rank * leafCount / size
        let firstRow = LeafPlan.leafRows(rows: rows, count: leafCount)[firstLeaf].lowerBound
        let model = makeModel(dtype, layout: layout)
        let arena = ParameterArena(model.collectParameters().reversed(), subtreeCount: plan.subtrees.count)
        arena.beginStep()
        let local = plan.rowCount
        func id(_ step: Int, _ row: Int, _ factor: Int) -> Int32 {
            Int32((step * 31 + (firstRow + row) * factor) % vocabulary)
        }
        func ids(_ factor: Int) -> Tensor {
            Tensor(
                (0..<steps).flatMap { step in (0..<local).map { id(step, $0, factor) } }, shape: [steps, local])
        }
        let tape = Tape()
        let context = ForwardContext(
            tape: tape, isTraining: true, leaves: plan,
            random: RandomKey(seed: 4, step: 17, firstRow: UInt32(firstRow)))
        let input = layout == .NTC ? ids(7).withSwappedLeadingAxes() : ids(7)
        var logits = model(Variable(input), context)
        if layout == .NTC { logits = context.swapLeadingAxes(logits) }
        let loss = context.softmaxCrossEntropy(
            logits, targets: ids(5), gradientScale: 1 / Double(rows * steps))
        if let seed = loss.seed { tape.backward(from: [seed]) }
        return Share(
            lossSums: loss.leafSums, counts: loss.leafCounts,
            gradients: SubtreeGradients(plan, firstLeaf: firstLeaf, arena))
    }

    @Test(arguments: [DType.float32, .float64], [SequenceLayout.TNC, .NTC])
    func lossAndGradientsKeepTheirBits(_ dtype: DType, _ layout: SequenceLayout) {
        let leafCount = LeafPlan.leafCount(rows: rows)
        let whole = run(dtype, layout: layout, rank: 0, of: 1)
        #expect(whole.gradients.roots.count == 1 && whole.counts.reduce(0, +) == rows * steps)
        let timeMajor = run(dtype, layout: .TNC, rank: 0, of: 1)
        #expect(
            whole.lossSums == timeMajor.lossSums
                && whole.gradients.roots[0].gradient == timeMajor.gradients.roots[0].gradient)
        for size in 2...4 {
            let shares = (0..<size).map { run(dtype, layout: layout, rank: $0, of: size) }
            #expect(shares.flatMap(\.lossSums) == whole.lossSums)
            #expect(shares.flatMap(\.counts) == whole.counts)
            let gradient = SubtreeGradients(shares.map(\.gradients)).total(0..<leafCount, dtype)
            #expect(gradient == whole.gradients.roots[0].gradient, "\(size) processes")
        }
    }
}
