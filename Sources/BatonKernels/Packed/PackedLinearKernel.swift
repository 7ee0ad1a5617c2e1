import BatonChecks
import BatonKernelABI

/// A fully connected layer on the lane kernels.
final class PackedLinearKernel: LinearKernel {
    let units: Int
    let width: Int
    private let table: KernelTable
    private let packing: PanelPacking
    private let forwardPanels = AlignedBuffer()
    private let transposedPanels = AlignedBuffer()
    private let biasBuffer = AlignedBuffer()
    private let gradientBuffers = WeightGradientBuffers()

    init(units: Int, width: Int, table: KernelTable) {
        self.units = units
        self.width = width
        self.table = table
        packing = PanelPacking(lanes: table.laneCount)
    }

    private var lanes: Int { packing.lanes }

    /// Rows are independent of each other, so their order does not matter.
    private func neighbour(_ strides: SequenceStrides, _ steps: Int, _ batch: Int) -> Int {
        guard let distance = strides.distanceInMemory(steps: steps, batch: batch) else {
            fatalError("LinearKernel: \(steps)·\(batch) rows are not equally far apart: \(strides)")
        }
        return distance
    }

    func update(weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?, training: Bool) {
        let strips = packing.strips(units)
        packing.packRows(
            of: weight, stride: width, gates: 1, units: units, depth: width,
            into: forwardPanels.reserve(strips * lanes * width))
        let target = biasBuffer.reserve(strips * lanes)
        for unit in 0..<strips * lanes { target[unit] = unit < units ? bias?[unit] ?? 0 : 0 }
        guard training else { return }
        packing.packColumns(
            of: weight, stride: width, columns: width, rows: units,
            into: transposedPanels.reserve(packing.strips(width) * lanes * units))
    }

    func forward(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Float>, inputStrides: SequenceStrides,
        output: UnsafeMutablePointer<Float>, outputStrides: SequenceStrides
    ) {
        guard steps * batch > 0 else { return }
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(
                    base: input, rowStride: neighbour(inputStrides, steps, batch), depth: width),
                panels: PackedPanels(
                    base: UnsafePointer(forwardPanels.base), depth: width, stripCount: packing.strips(units)),
                target: StripTarget(
                    base: output, rowStride: neighbour(outputStrides, steps, batch), stripStride: lanes),
                rows: steps * batch,
                columns: units, start: .bias, bias: UnsafePointer(biasBuffer.base)))
    }

    func backwardData(
        steps: Int, batch: Int, leaves: LeafPlan, outputGradient: UnsafePointer<Float>,
        outputGradientStrides: SequenceStrides,
        inputGradient: UnsafeMutablePointer<Float>, inputGradientStrides: SequenceStrides, adds: Bool
    ) {
        guard steps * batch > 0 else { return }
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(
                    base: outputGradient, rowStride: neighbour(outputGradientStrides, steps, batch), depth: units),
                panels: PackedPanels(
                    base: UnsafePointer(transposedPanels.base), depth: units, stripCount: packing.strips(width)),
                target: StripTarget(
                    base: inputGradient, rowStride: neighbour(inputGradientStrides, steps, batch), stripStride: lanes),
                rows: steps * batch, columns: width, start: .zero, adds: adds))
    }

    func backwardWeights(
        steps: Int, batch: Int, leaves: LeafPlan, input: UnsafePointer<Float>, inputStrides: SequenceStrides,
        outputGradient: UnsafePointer<Float>, outputGradientStrides: SequenceStrides,
        gradients: [LinearGradientPointers<Float>], hook: StepHook
    ) {
        let biases = gradients.compactMap(\.bias)
        let strips = (0..<packing.strips(units)).map { strip in
            PackedWeightGradient.LeftStrip(
                column: strip * lanes, columns: min(lanes, units - strip * lanes), gradientRow: strip * lanes,
                rights: [0], biases: biases.isEmpty ? [] : [biases])
        }
        let right = PackedWeightGradient.Right(
            rows: { (input + inputStrides.offset(time: $0, row: $1), inputStrides.row) }, columns: width,
            targets: gradients.map(\.weight), targetStride: width)
        PackedWeightGradient(table: table, steps: steps, leaves: leaves, buffers: gradientBuffers).accumulate(
            left: PackedWeightGradient.Left(
                base: outputGradient, offset: { outputGradientStrides.offset(time: $0, row: $1) }),
            strips: strips, rights: [right], hook: hook)
    }
}
