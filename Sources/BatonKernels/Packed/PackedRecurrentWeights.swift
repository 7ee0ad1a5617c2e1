import BatonChecks
import BatonKernelABI

/// Weights of one layer and direction packed for the lane kernels.
final class PackedRecurrentWeights: RecurrentWeights {
    let shape: RecurrentShape
    let division: PanelDivision
    let table: KernelTable
    /// Strips of hidden units.
    let unitStrips: Int
    /// Those of the own part, and their units.
    let ownStrips: Range<Int>
    let ownUnits: Range<Int>
    /// Own columns of h: the own units, or those of the projection.
    let ownOutputs: Range<Int>
    let ownOutputStrips: Range<Int>
    /// Columns of the input's gradient that the own part computes.
    let ownInputs: Range<Int>
    /// The own units by the vectors that work on them, forwards all gates together; backwards units, outputs and inputs.
    let gateParts: [ColumnPart]
    let unitParts: [ColumnPart]
    let outputParts: [ColumnPart]
    let inputParts: [ColumnPart]

    /// Forward panels of each input chain and of the hidden side: Wᵀ and Uᵀ.
    private var inputBuffers: [AlignedBuffer]
    private let hiddenBuffer = AlignedBuffer()
    /// Backward panels, for the gradients of x and h: W and U as they stand.
    private let inputGradientBuffer = AlignedBuffer()
    private let hiddenGradientBuffer = AlignedBuffer()
    /// Panels of V for r = m·Vᵀ and for dm = dr·V.
    private let projectionBuffer = AlignedBuffer()
    private let projectionGradientBuffer = AlignedBuffer()
    private let biasBuffer = AlignedBuffer()
    private let candidateBiasBuffer = AlignedBuffer()
    /// int8: what the sums of every gate column are multiplied by, and the inverse, in the layout of the bias.
    private let scaleBuffer = AlignedBuffer()
    private let inverseScaleBuffer = AlignedBuffer()
    private(set) var isReadyForBackward = false

    /// - Parameter narrow: kernels for what whole vectors leave over; nil does without, as reduced precisions do.
    init(_ shape: RecurrentShape, kernels: LaneKernels, narrow: LaneKernels?) {
        self.shape = shape
        let table = kernels.table
        self.table = table
        division = PanelDivision(lanes: table.laneCount)
        unitStrips = division.strips(shape.hidden)
        ownStrips = shape.shard.strips(of: unitStrips)
        ownUnits = shape.shard.columns(of: shape.hidden, lanes: table.laneCount)
        ownOutputs = shape.shard.columns(of: shape.outputSize, lanes: table.laneCount)
        ownOutputStrips = shape.shard.strips(of: division.strips(shape.outputSize))
        ownInputs = shape.shard.columns(of: shape.inputSize, lanes: table.laneCount)
        let narrow = shape.precision == .float32 ? narrow : nil
        gateParts = ColumnPart.parts(of: ownUnits, gates: shape.cell.gateCount, wide: kernels, narrow: narrow)
        unitParts = ColumnPart.parts(of: ownUnits, wide: kernels, narrow: narrow)
        outputParts = ColumnPart.parts(of: ownOutputs, wide: kernels, narrow: narrow)
        inputParts = ColumnPart.parts(of: ownInputs, wide: kernels, narrow: narrow)
        inputBuffers = shape.inputChains.map { _ in AlignedBuffer() }
    }

    var gates: Int { shape.cell.gateCount }
    /// Columns of the forward panels: all gates of the own units, with those that fill up vectors.
    var ownGateColumns: Int { gates * gateParts.paddedCount }

    /// Panels of a part of the units: Wᵀ and Uᵀ of all gates.
    func inputPanels(chain: Int, of part: ColumnPart) -> PackedPanels {
        part.panels(
            in: inputBuffers[chain], depth: format.chainLength(shape.inputChains[chain]), gates: gates, format: format)
    }
    func hiddenPanels(of part: ColumnPart) -> PackedPanels {
        part.panels(in: hiddenBuffer, depth: format.chainLength(shape.outputSize), gates: gates, format: format)
    }
    /// W: columns are a part of the inputs, rows are gates.
    func inputGradientPanels(of part: ColumnPart) -> PackedPanels {
        part.panels(in: inputGradientBuffer, depth: gates * shape.hidden)
    }
    /// U: columns are a part of the outputs, rows are gates.
    func hiddenGradientPanels(of part: ColumnPart) -> PackedPanels {
        part.panels(in: hiddenGradientBuffer, depth: gates * shape.hidden)
    }
    /// Columns are a part of the units of the projection, rows those of the layer.
    func projectionPanels(of part: ColumnPart) -> PackedPanels {
        part.panels(in: projectionBuffer, depth: shape.hidden)
    }
    /// Columns are a part of the units of the layer, rows those of the projection.
    func projectionGradientPanels(of part: ColumnPart) -> PackedPanels {
        part.panels(in: projectionGradientBuffer, depth: shape.outputSize)
    }
    var format: PanelFormat { shape.precision.format }
    func bias(of part: ColumnPart) -> UnsafePointer<Float> {
        UnsafePointer(biasBuffer.base) + part.paddedBefore * gates
    }
    func constants(of part: ColumnPart) -> GateConstants {
        GateConstants(
            bias: bias(of: part),
            hiddenCandidateBias: UnsafePointer(candidateBiasBuffer.base) + part.paddedBefore,
            scales: format.isInteger ? UnsafePointer(scaleBuffer.base) + part.paddedBefore * gates : nil)
    }

    func update(from parameters: RecurrentParameterPointers<Float>, training: Bool) {
        let (inputSize, outputSize) = (shape.inputSize, shape.outputSize)
        if format.isInteger { makeScales(parameters) }
        var column = 0
        for (buffer, depth) in zip(inputBuffers, shape.inputChains) {
            packGates(
                of: parameters.inputWeight + column, stride: inputSize, depth: depth, into: buffer)
            column += depth
        }
        packGates(of: parameters.hiddenWeight, stride: outputSize, depth: outputSize, into: hiddenBuffer)
        packBias(parameters)
        if let projection = projectionWeight(parameters) {
            outputParts.packTransposed(
                of: projection, stride: shape.hidden, gates: 1, units: outputSize, depth: shape.hidden,
                into: projectionBuffer.reserve(outputParts.paddedCount * shape.hidden))
        }
        isReadyForBackward = false
        if training { prepareBackward(from: parameters) }
    }

    func prepareBackward(from parameters: RecurrentParameterPointers<Float>) {
        let (gateRows, inputSize, outputSize) = (gates * shape.hidden, shape.inputSize, shape.outputSize)
        require(
            shape.precision == .float32,
            "RecurrentWeights.prepareBackward: weights in \(shape.precision.rawValue) are for inference")
        inputParts.packAsItStands(
            of: parameters.inputWeight, stride: inputSize, rows: gateRows,
            into: inputGradientBuffer.reserve(inputParts.paddedCount * gateRows))
        outputParts.packAsItStands(
            of: parameters.hiddenWeight, stride: outputSize, rows: gateRows,
            into: hiddenGradientBuffer.reserve(outputParts.paddedCount * gateRows))
        if let projection = projectionWeight(parameters) {
            unitParts.packAsItStands(
                of: projection, stride: shape.hidden, rows: outputSize,
                into: projectionGradientBuffer.reserve(unitParts.paddedCount * outputSize))
        }
        isReadyForBackward = true
    }

    /// Panels of all gates, in the precision of the layer.
    private func packGates(
        of matrix: UnsafePointer<Float>, stride: Int, depth: Int, into buffer: AlignedBuffer
    ) {
        let (lanes, columns) = (division.lanes, ownGateColumns)
        func pack(into target: UnsafeMutablePointer<Float>) {
            gateParts.packTransposed(
                of: matrix, stride: stride, gates: gates, units: shape.hidden, depth: depth, into: target)
        }
        guard format != .float32 else { return pack(into: buffer.reserve(columns * depth)) }
        let staging = AlignedBuffer(count: columns * depth)
        defer { withExtendedLifetime(staging) {} }
        pack(into: staging.base)
        let widths =
            gates > 1
            ? Array(repeating: gates * lanes, count: ownStrips.count)
            : PanelDivision.balancedPanels(ownStrips.count).map { $0 * lanes }
        PanelConversion.convert(
            staging.base, widths: widths, depth: depth, format: format, inverseScales: inverseScaleBuffer.base,
            into: buffer.reserve(format.bytes(rows: format.chainLength(depth), columns: columns) / 4))
    }

    /// s = max |row of [W U]| / 127 for every gate and unit, NaN for rows with a value that is not finite; but at least 2⁻⁶⁴ of
    /// the bias, which is divided by it and beside which smaller weights do not count, and of a size that has an inverse.
    private func makeScales(_ parameters: RecurrentParameterPointers<Float>) {
        let scales = scaleBuffer.reserve(ownGateColumns)
        let inverses = inverseScaleBuffer.reserve(ownGateColumns)
        forEachGateColumn { column, gate, unit, _ in
            var greatest: Float = 0
            var isFinite = true
            var least: Float = 0x1p-126
            func take(_ value: Float) {
                greatest = max(greatest, abs(value))
                isFinite = isFinite && value.isFinite
            }
            if unit < shape.hidden {
                let row = gate * shape.hidden + unit
                for k in 0..<shape.inputSize {
                    take(parameters.inputWeight[row * shape.inputSize + k])
                }
                for k in 0..<shape.outputSize {
                    take(parameters.hiddenWeight[row * shape.outputSize + k])
                }
                let both = biases(parameters, gate: gate, unit: unit)
                for bias in [both.x, both.y] where bias.isFinite {
                    least = max(least, abs(bias) * 0x1p-64)
                }
            }
            let isSmall = greatest < 127 * least
            scales[column] = !isFinite ? .nan : isSmall ? least : greatest / 127
            inverses[column] = isSmall ? 1 / least : 127 / greatest
        }
    }

    /// All columns of the forward panels, with gate and unit, and its place among the own units as they are packed.
    private func forEachGateColumn(_ body: (_ column: Int, _ gate: Int, _ unit: Int, _ place: Int) -> Void) {
        var column = 0
        for part in gateParts {
            for first in stride(from: 0, to: part.columns.count, by: part.lanes) {
                for gate in 0..<gates {
                    for lane in first..<first + part.lanes {
                        body(column, gate, part.columns.lowerBound + lane, part.paddedBefore + lane)
                        column += 1
                    }
                }
            }
        }
    }

    private func projectionWeight(_ parameters: RecurrentParameterPointers<Float>) -> UnsafePointer<Float>? {
        require(
            (parameters.projectionWeight == nil) == (shape.projection == nil),
            "RecurrentWeights.update: a projection weight belongs to a projected layer, and only there")
        return parameters.projectionWeight
    }

    /// b + q of a unit, and 0; of the GRU's candidate b and q, since q stands inside the reset product.
    private func biases(_ parameters: RecurrentParameterPointers<Float>, gate: Int, unit: Int) -> SIMD2<Float> {
        let row = gate * shape.hidden + unit
        let (own, other) = (parameters.inputBias[row], parameters.hiddenBias[row])
        return shape.cell == .gru && gate == 2 ? SIMD2(own, other) : SIMD2(own + other, 0)
    }

    /// The biases by panel, the GRU's second one apart. Divided by the scales, if there are.
    private func packBias(_ parameters: RecurrentParameterPointers<Float>) {
        let bias = biasBuffer.reserve(ownGateColumns)
        let candidate = candidateBiasBuffer.reserve(gateParts.paddedCount)
        forEachGateColumn { column, gate, unit, place in
            let scale = format.isInteger ? scaleBuffer.base[column] : 1
            let values = unit < shape.hidden ? biases(parameters, gate: gate, unit: unit) : SIMD2()
            bias[column] = values[0] / scale
            if shape.cell == .gru && gate == 2 { candidate[place] = values[1] / scale }
        }
    }
}
