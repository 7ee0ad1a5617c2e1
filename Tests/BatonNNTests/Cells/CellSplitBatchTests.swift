import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport
import Testing

/// Unrolled cells on 1, 2, 3 or 4 processes, played one after the other: the same bits everywhere, in training mode,
/// with dropout, zoneout and lengths.
@Suite struct CellSplitBatchTests {
    private let rows = 11
    private let steps = 4

    private func makeCell(_ dtype: DType) -> RecurrentCell {
        let cell = SequentialRNNCell(
            prefix: "net_",
            [
                LSTMCell(hiddenSize: 7, inputSize: 5, dtype: dtype, prefix: "a_"),
                DropoutCell(rate: 0.3, prefix: "drop_"),
                ResidualCell(GRUCell(hiddenSize: 7, inputSize: 7, dtype: dtype, prefix: "b_")),
                ZoneoutCell(
                    LayerNormLSTMCell(hiddenSize: 6, inputSize: 7, dtype: dtype, prefix: "c_"), zoneoutOutputs: 0.2,
                    zoneoutStates: 0.3),
                VariationalDropoutCell(
                    LSTMPCell(hiddenSize: 6, projectionSize: 4, inputSize: 6, dtype: dtype, prefix: "d_"),
                    dropInputs: 0.2, dropStates: 0.2),
                BidirectionalCell(
                    RNNCell(hiddenSize: 3, inputSize: 4, dtype: dtype, prefix: "e_"),
                    GRUCell(hiddenSize: 2, inputSize: 4, resetAfter: false, dtype: dtype, prefix: "f_")),
                LeakyCell(prefix: "g_", width: 5, dtype: dtype),
            ])
        cell.initialize(UniformInitializer(0.6), seed: 4)
        return cell
    }

    private struct Share {
        var output: [[Double]]
        /// Of the local subtrees.
        var gradients: SubtreeGradients
    }

    private func run(_ dtype: DType, hybridized: Bool, rank: Int, of size: Int) -> Share {
        let leafCount = LeafPlan.leafCount(rows: rows)
        let plan = LeafPlan.part(rows: rows, leafCount: leafCount, rank: rank, size: size)
        let firstLeaf = rank * leafCount / size
        let firstRow = LeafPlan.leafRows(rows: rows, count: leafCount)[firstLeaf].lowerBound
        let cell = makeCell(dtype)
        if hybridized { cell.hybridize() }
        let arena = ParameterArena(cell.collectParameters().reversed(), subtreeCount: plan.subtrees.count)
        let all = randomTensor([rows, steps, 5], seed: 6).cast(to: dtype)
        let lengths = Tensor((0..<rows).map { Int32(($0 * 3 + 1) % (steps + 1)) }, shape: [rows])
        let mine = firstRow..<firstRow + plan.rowCount
        let tape = Tape()
        let context = ForwardContext(
            tape: tape, isTraining: true, leaves: plan,
            random: RandomKey(seed: 4, step: 17, firstRow: UInt32(firstRow)))
        let result = cell.unroll(
            Variable(all[leading: mine]), mergeOutputs: true, validLength: lengths[leading: mine], context)
        let output = result.outputs.merged
        let seed = randomTensor([rows, steps, 3], seed: 7).cast(to: dtype)
        arena.beginStep()
        tape.backward(from: [(output, seed[leading: mine].copy())])
        let width = steps * 3
        let values = output.value.doubles()
        return Share(
            output: (0..<plan.rowCount).map { Array(values[$0 * width..<($0 + 1) * width]) },
            gradients: SubtreeGradients(plan, firstLeaf: firstLeaf, arena))
    }

    @Test(arguments: [DType.float32, .float64], [false, true])
    func outputsAndGradientsKeepTheirBits(_ dtype: DType, _ hybridized: Bool) {
        let leafCount = LeafPlan.leafCount(rows: rows)
        let whole = run(dtype, hybridized: hybridized, rank: 0, of: 1)
        #expect(whole.gradients.roots.count == 1 && whole.gradients.roots[0].gradient.contains { $0 != 0 })
        for size in 2...4 {
            let shares = (0..<size).map { run(dtype, hybridized: hybridized, rank: $0, of: size) }
            #expect(shares.flatMap(\.output) == whole.output)
            let gradient = SubtreeGradients(shares.map(\.gradients)).total(0..<leafCount, dtype)
            #expect(gradient == whole.gradients.roots[0].gradient, "\(size) processes")
        }
    }
}
