import BatonChecks
import BatonKernelABI

/// Weights of one layer and direction packed for the lane kernels.
final class PackedRecurrentWeights: RecurrentWeights {
    let shape: RecurrentShape
    let packing: PanelPacking
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

    /// Forward panels of each input chain and of the hidden side.
    private var inputBuffers: [AlignedBuffer]
    private let hiddenBuffer = AlignedBuffer()
    /// Backward panels: Wᵀ and Uᵀ.
    private let inputTransposedBuffer = AlignedBuffer()
    private let hiddenTransposedBuffer = AlignedBuffer()
    /// Panels of V for r = m·Vᵀ and for dm = dr·V.
    private let projectionBuffer = AlignedBuffer()
    private let projectionTransposedBuffer = AlignedBuffer()
    private let biasBuffer = AlignedBuffer()
    private let candidateBiasBuffer = AlignedBuffer()
    /// int8: what the sums of every gate column are multiplied by, and the inverse, in the layout of the bias.
    private let scaleBuffer = AlignedBuffer()
    private let inverseScaleBuffer = AlignedBuffer()
    /// f32 panels on their way to a reduced precision.
    private let stagingBuffer = AlignedBuffer()
    private(set) var isReadyForBackward = false

    init(_ shape: RecurrentShape, table: KernelTable) {
        self.shape = shape
        self.table = table
        packing = PanelPacking(lanes: table.laneCount)
        unitStrips = packing.strips(shape.hidden)
        ownStrips = shape.shard.strips(of: unitStrips)
        ownUnits = shape.shard.columns(of: shape.hidden, lanes: table.laneCount)
        ownOutputs = shape.shard.columns(of: shape.outputSize, lanes: table.laneCount)
        ownOutputStrips = shape.shard.strips(of: packing.strips(shape.outputSize))
        ownInputs = shape.shard.columns(of: shape.inputSize, lanes: table.laneCount)
        inputBuffers = shape.inputChains.map { _ in AlignedBuffer() }
    }

    var gates: Int { shape.cell.gateCount }
    /// Strips of all gates of the own units.
    var ownGateStrips: Int { gates * ownStrips.count }

    func inputPanels(chain: Int) -> PackedPanels {
        PackedPanels(
            base: inputBuffers[chain].base, depth: format.chainLength(shape.inputChains[chain]),
            stripCount: ownGateStrips, format: format)
    }
    var hiddenPanels: PackedPanels {
        PackedPanels(
            base: hiddenBuffer.base, depth: format.chainLength(shape.outputSize), stripCount: ownGateStrips,
            format: format)
    }
    var inputTransposedPanels: PackedPanels {
        PackedPanels(
            base: inputTransposedBuffer.base, depth: gates * shape.hidden,
            stripCount: packing.strips(ownInputs.count))
    }
    var hiddenTransposedPanels: PackedPanels {
        PackedPanels(
            base: hiddenTransposedBuffer.base, depth: gates * shape.hidden,
            stripCount: packing.strips(ownOutputs.count))
    }
    /// Columns are the own units of the projection, rows those of the layer.
    var projectionPanels: PackedPanels {
        PackedPanels(base: projectionBuffer.base, depth: shape.hidden, stripCount: ownOutputStrips.count)
    }
    /// Columns are the own units of the layer, rows those of the projection.
    var projectionTransposedPanels: PackedPanels {
        PackedPanels(base: projectionTransposedBuffer.base, depth: shape.outputSize, stripCount: ownStrips.count)
    }
    var format: PanelFormat { shape.precision.format }
    var scales: UnsafePointer<Float>? { format.isInteger ? UnsafePointer(scaleBuffer.base) : nil }
    var bias: UnsafePointer<Float> { UnsafePointer(biasBuffer.base) }
    var candidateBias: UnsafePointer<Float> { UnsafePointer(candidateBiasBuffer.base) }

    func update(from parameters: RecurrentParameterPointers<Float>, training: Bool) {
        let (inputSize, lanes, outputSize) = (shape.inputSize, packing.lanes, shape.outputSize)
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
            packing.packRows(
                of: projection, stride: shape.hidden, gates: 1, units: outputSize, part: ownOutputs,
                depth: shape.hidden, into: projectionBuffer.reserve(ownOutputStrips.count * lanes * shape.hidden))
        }
        isReadyForBackward = false
        if training { prepareBackward(from: parameters) }
    }

    func prepareBackward(from parameters: RecurrentParameterPointers<Float>) {
        let (hidden, inputSize, lanes, outputSize) = (shape.hidden, shape.inputSize, packing.lanes, shape.outputSize)
        require(
            shape.precision == .float32,
            "RecurrentWeights.prepareBackward: weights in \(shape.precision.rawValue) are for inference")
        packing.packColumns(
            of: parameters.inputWeight + ownInputs.lowerBound, stride: inputSize, columns: ownInputs.count,
            rows: gates * hidden,
            into: inputTransposedBuffer.reserve(packing.strips(ownInputs.count) * lanes * gates * hidden))
        packing.packColumns(
            of: parameters.hiddenWeight + ownOutputs.lowerBound, stride: outputSize, columns: ownOutputs.count,
            rows: gates * hidden,
            into: hiddenTransposedBuffer.reserve(packing.strips(ownOutputs.count) * lanes * gates * hidden))
        if let projection = projectionWeight(parameters) {
            packing.packColumns(
                of: projection + ownUnits.lowerBound, stride: hidden, columns: ownUnits.count, rows: outputSize,
                into: projectionTransposedBuffer.reserve(ownStrips.count * lanes * outputSize))
        }
        isReadyForBackward = true
    }

    /// Panels of all gates, in the precision of the layer.
    private func packGates(
        of matrix: UnsafePointer<Float>, stride: Int, depth: Int, into buffer: AlignedBuffer
    ) {
        let (lanes, columns) = (packing.lanes, ownGateStrips * packing.lanes)
        func pack(into target: UnsafeMutablePointer<Float>) {
            packing.packRows(
                of: matrix, stride: stride, gates: gates, units: shape.hidden, part: ownUnits, depth: depth,
                into: target)
        }
        guard format != .float32 else { return pack(into: buffer.reserve(columns * depth)) }
        let staging = stagingBuffer.reserve(columns * depth)
        pack(into: staging)
        let widths =
            gates > 1
            ? Array(repeating: gates * lanes, count: ownStrips.count)
            : PanelPacking.balancedPanels(ownStrips.count).map { $0 * lanes }
        PanelReduction.reduce(
            staging, widths: widths, depth: depth, format: format, inverseScales: inverseScaleBuffer.base,
            into: buffer.reserve(format.bytes(rows: format.chainLength(depth), columns: columns) / 4))
    }

    /// s = max |row of [W U]| / 127 for every gate and unit; 1 for rows of zeros and for padding, NaN for rows with a
    /// value that is not finite.
    private func makeScales(_ parameters: RecurrentParameterPointers<Float>) {
        let columns = ownGateStrips * packing.lanes
        let scales = scaleBuffer.reserve(columns)
        let inverses = inverseScaleBuffer.reserve(columns)
        for column in 0..<columns {
            let (gate, unit) = gateAndUnit(column)
            var greatest: Float = 0
            var isFinite = true
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
            }
            scales[column] = !isFinite ? .nan : greatest > 0 ? greatest / 127 : 1
            inverses[column] = greatest > 0 ? 127 / greatest : 1
        }
    }

    /// Gate and unit of a packed column.
    private func gateAndUnit(_ column: Int) -> (gate: Int, unit: Int) {
        let (strip, lane) = (column / packing.lanes, column % packing.lanes)
        return (strip % gates, ownUnits.lowerBound + strip / gates * packing.lanes + lane)
    }

    private func projectionWeight(_ parameters: RecurrentParameterPointers<Float>) -> UnsafePointer<Float>? {
        require(
            (parameters.projectionWeight == nil) == (shape.projection == nil),
            "RecurrentWeights.update: a projection weight belongs to a projected layer, and only there")
        return parameters.projectionWeight
    }

    /// b + q by panel; the GRU's candidate keeps q apart, inside the reset product. Divided by the scales, if there are.
    private func packBias(_ parameters: RecurrentParameterPointers<Float>) {
        let hidden = shape.hidden
        let bias = biasBuffer.reserve(ownGateStrips * packing.lanes)
        let candidate = candidateBiasBuffer.reserve(ownStrips.count * packing.lanes)
        for column in 0..<ownGateStrips * packing.lanes {
            let (gate, unit) = gateAndUnit(column)
            let keepsApart = shape.cell == .gru && gate == 2
            let scale = scales?[column] ?? 1
            let row = gate * hidden + unit
            let (own, other) = unit < hidden ? (parameters.inputBias[row], parameters.hiddenBias[row]) : (0, 0)
            bias[column] = (keepsApart ? own : own + other) / scale
            if keepsApart { candidate[unit - ownUnits.lowerBound] = other / scale }
        }
    }
}
