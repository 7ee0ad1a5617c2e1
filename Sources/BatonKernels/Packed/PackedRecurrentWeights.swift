import BatonKernelABI

/// Weights of one layer and direction packed for the lane kernels.
final class PackedRecurrentWeights: RecurrentWeights {
    let shape: RecurrentShape
    let packing: PanelPacking
    let table: KernelTable
    /// Strips of hidden units.
    let unitStrips: Int

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
    private(set) var isReadyForTraining = false

    init(_ shape: RecurrentShape, table: KernelTable) {
        self.shape = shape
        self.table = table
        packing = PanelPacking(lanes: table.laneCount)
        unitStrips = packing.strips(shape.hidden)
        inputBuffers = shape.inputChains.map { _ in AlignedBuffer() }
    }

    var gates: Int { shape.cell.gateCount }
    /// Strips of all gates.
    var gateStrips: Int { gates * unitStrips }

    func inputPanels(chain: Int) -> PackedPanels {
        PackedPanels(base: inputBuffers[chain].base, depth: shape.inputChains[chain], stripCount: gateStrips)
    }
    var hiddenPanels: PackedPanels {
        PackedPanels(base: hiddenBuffer.base, depth: shape.outputSize, stripCount: gateStrips)
    }
    var inputTransposedPanels: PackedPanels {
        PackedPanels(
            base: inputTransposedBuffer.base, depth: gateStrips * packing.lanes,
            stripCount: packing.strips(shape.inputSize))
    }
    var hiddenTransposedPanels: PackedPanels {
        PackedPanels(
            base: hiddenTransposedBuffer.base, depth: gateStrips * packing.lanes,
            stripCount: packing.strips(shape.outputSize))
    }
    /// Columns are the units of the projection, rows those of the layer.
    var projectionPanels: PackedPanels {
        PackedPanels(
            base: projectionBuffer.base, depth: shape.hidden, stripCount: packing.strips(shape.outputSize))
    }
    /// Columns are the units of the layer, rows those of the projection.
    var projectionTransposedPanels: PackedPanels {
        PackedPanels(base: projectionTransposedBuffer.base, depth: shape.outputSize, stripCount: unitStrips)
    }
    var bias: UnsafePointer<Float> { UnsafePointer(biasBuffer.base) }
    var candidateBias: UnsafePointer<Float> { UnsafePointer(candidateBiasBuffer.base) }

    func update(from parameters: RecurrentParameterPointers<Float>, training: Bool) {
        let (hidden, inputSize, lanes, outputSize) = (shape.hidden, shape.inputSize, packing.lanes, shape.outputSize)
        let outputStrips = packing.strips(outputSize)
        var column = 0
        for (buffer, depth) in zip(inputBuffers, shape.inputChains) {
            packing.packRows(
                of: parameters.inputWeight + column, stride: inputSize, gates: gates, units: hidden, depth: depth,
                into: buffer.reserve(gateStrips * lanes * depth))
            column += depth
        }
        packing.packRows(
            of: parameters.hiddenWeight, stride: outputSize, gates: gates, units: hidden, depth: outputSize,
            into: hiddenBuffer.reserve(gateStrips * lanes * outputSize))
        packBias(parameters)
        if let projection = projectionWeight(parameters) {
            packing.packRows(
                of: projection, stride: hidden, gates: 1, units: outputSize, depth: hidden,
                into: projectionBuffer.reserve(outputStrips * lanes * hidden))
        }
        isReadyForTraining = training
        guard training else { return }
        packing.packColumns(
            of: parameters.inputWeight, stride: inputSize, columns: inputSize, blocks: gates, blockRows: hidden,
            padsBlocks: true,
            into: inputTransposedBuffer.reserve(packing.strips(inputSize) * gateStrips * lanes * lanes))
        packing.packColumns(
            of: parameters.hiddenWeight, stride: outputSize, columns: outputSize, blocks: gates, blockRows: hidden,
            padsBlocks: true, into: hiddenTransposedBuffer.reserve(outputStrips * gateStrips * lanes * lanes))
        if let projection = projectionWeight(parameters) {
            packing.packColumns(
                of: projection, stride: hidden, columns: hidden, blocks: 1, blockRows: outputSize, padsBlocks: false,
                into: projectionTransposedBuffer.reserve(unitStrips * lanes * outputSize))
        }
    }

    private func projectionWeight(_ parameters: RecurrentParameterPointers<Float>) -> UnsafePointer<Float>? {
        precondition(
            (parameters.projectionWeight == nil) == (shape.projection == nil),
            "RecurrentWeights.update: a projection weight belongs to a projected layer, and only there")
        return parameters.projectionWeight
    }

    /// b + q by panel; the GRU's candidate keeps q apart, inside the reset product.
    private func packBias(_ parameters: RecurrentParameterPointers<Float>) {
        let (hidden, lanes) = (shape.hidden, packing.lanes)
        let bias = biasBuffer.reserve(gateStrips * lanes)
        let candidate = candidateBiasBuffer.reserve(unitStrips * lanes)
        for unit in 0..<unitStrips * lanes {
            let (strip, lane) = (unit / lanes, unit % lanes)
            for gate in 0..<gates {
                var value: Float = 0
                if unit < hidden {
                    let row = gate * hidden + unit
                    value = parameters.inputBias[row]
                    if shape.cell == .gru && gate == 2 {
                        candidate[unit] = parameters.hiddenBias[row]
                    } else {
                        value += parameters.hiddenBias[row]
                    }
                }
                bias[(strip * gates + gate) * lanes + lane] = value
            }
            if unit >= hidden { candidate[unit] = 0 }
        }
    }
}
