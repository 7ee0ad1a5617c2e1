import BatonChecks
import BatonKernelABI

/// A fully connected layer on the lane kernels.
final class PackedLinearKernel: LinearKernel {
    let units: Int
    let width: Int
    private let table: KernelTable
    /// The units, and the columns of the input's gradient, by the vectors that work on them.
    private let unitParts: [ColumnPart]
    private let widthParts: [ColumnPart]
    private let forwardPanels = AlignedBuffer()
    private let gradientPanels = AlignedBuffer()
    private let biasBuffer = AlignedBuffer()
    private let scratch = AlignedBuffer()
    private let gradientBuffers = WeightGradientBuffers()
    /// Whether the last update was one for training.
    private var isReadyForBackward = false

    /// - Parameter narrow: kernels for what whole vectors leave over; nil does without.
    init(units: Int, width: Int, kernels: LaneKernels, narrow: LaneKernels?) {
        self.units = units
        self.width = width
        table = kernels.table
        unitParts = ColumnPart.parts(of: 0..<units, wide: kernels, narrow: narrow)
        widthParts = ColumnPart.parts(of: 0..<width, wide: kernels, narrow: narrow)
    }

    private var lanes: Int { table.laneCount }

    /// Rows are independent of each other, so their order does not matter.
    private func rowStride(_ strides: SequenceStrides, _ steps: Int, _ batch: Int) -> Int {
        guard let distance = strides.distanceInMemory(steps: steps, batch: batch) else {
            fatalError("LinearKernel: \(steps)·\(batch) rows are not equally far apart: \(strides)")
        }
        return distance
    }

    func update(weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?, training: Bool) {
        unitParts.packTransposed(
            of: weight, stride: width, gates: 1, units: units, depth: width,
            into: forwardPanels.reserve(unitParts.paddedCount * width))
        // The padding of the units stands behind them all.
        let target = biasBuffer.reserve(unitParts.paddedCount)
        for unit in 0..<unitParts.paddedCount { target[unit] = unit < units ? bias?[unit] ?? 0 : 0 }
        isReadyForBackward = training
        guard training else { return }
        widthParts.packAsItStands(
            of: weight, stride: width, rows: units,
            into: gradientPanels.reserve(widthParts.paddedCount * units))
    }

    func forward(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Float>, inputStrides: SequenceStrides,
        output: UnsafeMutablePointer<Float>, outputStrides: SequenceStrides
    ) {
        guard steps * batch > 0 else { return }
        unitParts.matrixProduct(
            ChainOperand(base: input, rowStride: rowStride(inputStrides, steps, batch), depth: width), to: output,
            stride: rowStride(outputStrides, steps, batch), rows: steps * batch, start: .bias,
            bias: UnsafePointer(biasBuffer.base), scratch: scratch
        ) { $0.panels(in: forwardPanels, depth: width) }
    }

    func backwardData(
        steps: Int, batch: Int, leaves: LeafPlan, outputGradient: UnsafePointer<Float>,
        outputGradientStrides: SequenceStrides,
        inputGradient: UnsafeMutablePointer<Float>, inputGradientStrides: SequenceStrides, adds: Bool
    ) {
        require(isReadyForBackward, "LinearKernel.backwardData: it needs an update of the weights for training")
        guard steps * batch > 0 else { return }
        widthParts.matrixProduct(
            ChainOperand(
                base: outputGradient, rowStride: rowStride(outputGradientStrides, steps, batch), depth: units),
            to: inputGradient, stride: rowStride(inputGradientStrides, steps, batch), rows: steps * batch, start: .zero,
            adds: adds, scratch: scratch
        ) { $0.panels(in: gradientPanels, depth: units) }
    }

    func backwardWeights(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Float>, inputStrides: SequenceStrides,
        outputGradient: UnsafePointer<Float>, outputGradientStrides: SequenceStrides,
        gradients: [LinearGradientPointers<Float>], hook: StepHook
    ) {
        gradients.check(leaves, batch: batch)
        let biases = gradients.compactMap(\.bias)
        let strips = (0..<(units + lanes - 1) / lanes).map { strip in
            PackedWeightGradient.LeftStrip(
                column: strip * lanes, columns: min(lanes, units - strip * lanes), gradientRow: strip * lanes,
                rights: [0], biases: biases.isEmpty ? [] : [biases])
        }
        let right = PackedWeightGradient.Right(
            rows: { StridedRows(input + inputStrides.offset(time: $0, row: $1), stride: inputStrides.row) },
            columns: width,
            targets: gradients.map(\.weight))
        PackedWeightGradient(table: table, steps: steps, leaves: leaves, buffers: gradientBuffers).accumulate(
            left: PackedWeightGradient.Left(
                base: outputGradient, offset: { outputGradientStrides.offset(time: $0, row: $1) }),
            strips: strips, rights: [right], hook: hook)
    }
}
