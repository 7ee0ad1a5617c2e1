import BatonKernelABI
import BatonKernels
import BatonTestSupport
import Testing

/// Layers with weights in reduced precision, with everything a layer may have.
@Suite struct ReducedPrecisionTests {
    private let kernels = BackendKernels<Float>(backend: .packed)
    private static let precisions = [WeightPrecision.bfloat16, .int8]
    private static let clip = StateClip(lower: -0.25, upper: 0.5)

    /// What a layer of a kind may have: (reverse, projection, clip).
    private func variants(_ cell: RecurrentKind) -> [(reverse: Bool, projection: Int?, clip: StateClip?)] {
        [false, true].flatMap { reverse in
            cell == .lstm
                ? [(reverse, nil, nil), (reverse, 13, nil), (reverse, nil, Self.clip), (reverse, 13, Self.clip)]
                : [(reverse, nil, nil)]
        }
    }

    private func bits(_ run: LayerRun<BackendKernels<Float>>) -> [UInt32] {
        (run.output + run.finalHidden + run.finalCell).map(\.bitPattern)
    }

    /// Of one row of a run of all.
    private func bits(of row: Int, in run: LayerRun<BackendKernels<Float>>) -> [UInt32] {
        let (width, hidden, batch) = (run.layer.outputSize, run.layer.shape.hidden, run.layer.shape.batch)
        func part(_ values: [Float], _ row: Int, _ width: Int) -> ArraySlice<Float> {
            values[row * width..<(row + 1) * width]
        }
        var values: [Float] = []
        for time in 0..<run.layer.shape.steps { values += part(run.output, time * batch + row, width) }
        values += part(run.finalHidden, row, width)
        if run.layer.cell.hasCellState { values += part(run.finalCell, row, hidden) }
        return values.map(\.bitPattern)
    }

    /// Rows among others and alone, of whole and of unequal lengths, in one go and in chunks, time first and batch first.
    @Test(arguments: RecurrentKind.allCases, precisions)
    func aRowIsTheSameHoweverItIsRun(_ cell: RecurrentKind, _ precision: WeightPrecision) {
        let shape = NamedShape("tails", steps: 5, batch: 13, inputSize: 33, hidden: 21)
        for variant in variants(cell) {
            let layer = LayerCase<Float>(
                cell, shape, reverse: variant.reverse, projection: variant.projection, stateClip: variant.clip)
            for lengths in [nil, [5, 0, 3, 1, 5, 2, 4, 4, 0, 5, 1, 2, 3]] {
                var options = LayerRun<BackendKernels<Float>>.Options()
                (options.training, options.precision, options.lengths) = (false, precision, lengths)
                let whole = LayerRun(layer, on: kernels, options)
                #expect(!whole.touchedPadding)
                options.cuts = [2]
                options.batchMajor = true
                let cut = LayerRun(layer, on: kernels, options)
                #expect(bits(cut) == bits(whole), "\(variant), lengths \(lengths ?? [])")
                options.cuts = []
                for row in 0..<shape.batch {
                    options.rows = row..<row + 1
                    let isSame = bits(LayerRun(layer, on: kernels, options)) == bits(of: row, in: whole)
                    #expect(isSame, "row \(row), \(variant), lengths \(lengths ?? [])")
                }
            }
        }
    }

    /// What bfloat16 can hold is not rounded: the first step from no states has the bits of float32.
    @Test(arguments: RecurrentKind.allCases)
    func aFirstStepOfRoundedOperandsIsThatOfFloat32(_ cell: RecurrentKind) {
        let shape = NamedShape("tails", steps: 1, batch: 13, inputSize: 33, hidden: 21)
        func rounded(_ value: Double) -> Double { Double(nearestBFloat16(Float(value))) }
        for variant in variants(cell) {
            var layer = LayerCase<Float>(
                cell, shape, reverse: variant.reverse, projection: variant.projection, stateClip: variant.clip)
            layer.parameters = layer.parameters.map(rounded)
            layer.input = layer.input.map(rounded)
            var options = LayerRun<BackendKernels<Float>>.Options()
            (options.training, options.givesStates) = (false, false)
            let exact = LayerRun(layer, on: kernels, options)
            options.precision = .bfloat16
            let isSame = bits(LayerRun(layer, on: kernels, options)) == bits(exact)
            #expect(isSame, "\(variant)")
        }
    }

    /// Nothing but the arrays is read or written, on either side.
    @Test(arguments: RecurrentKind.allCases, precisions)
    func arraysAreNotLeft(_ cell: RecurrentKind, _ precision: WeightPrecision) {
        for (batch, width, hidden) in [(1, 1, 1), (1, 513, 17), (3, 7, 33), (12, 31, 15)] {
            let layer = LayerCase<Float>(
                cell, NamedShape("guarded", steps: 2, batch: batch, inputSize: width, hidden: hidden))
            var options = LayerRun<BackendKernels<Float>>.Options()
            (options.training, options.precision) = (false, precision)
            let behind = LayerRun(layer, on: kernels, options)
            options.guarded = .before
            #expect(bits(LayerRun(layer, on: kernels, options)) == bits(behind))
        }
    }
}
