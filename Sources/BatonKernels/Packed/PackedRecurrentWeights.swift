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
        PackedPanels(base: hiddenBuffer.base, depth: shape.hidden, stripCount: gateStrips)
    }
    var inputTransposedPanels: PackedPanels {
        PackedPanels(
            base: inputTransposedBuffer.base, depth: gateStrips * packing.lanes,
            stripCount: packing.strips(shape.inputSize))
    }
    var hiddenTransposedPanels: PackedPanels {
        PackedPanels(
            base: hiddenTransposedBuffer.base, depth: gateStrips * packing.lanes, stripCount: unitStrips)
    }
    var bias: UnsafePointer<Float> { UnsafePointer(biasBuffer.base) }
    var candidateBias: UnsafePointer<Float> { UnsafePointer(candidateBiasBuffer.base) }

    func update(from parameters: RecurrentParameterPointers<Float>, training: Bool) {
        let (hidden, inputSize, lanes) = (shape.hidden, shape.inputSize, packing.lanes)
        var column = 0
        for (buffer, depth) in zip(inputBuffers, shape.inputChains) {
            packing.packRows(
                of: parameters.inputWeight + column, stride: inputSize, gates: gates, units: hidden, depth: depth,
                into: buffer.reserve(gateStrips * lanes * depth))
            column += depth
        }
        packing.packRows(
            of: parameters.hiddenWeight, stride: hidden, gates: gates, units: hidden, depth: hidden,
            into: hiddenBuffer.reserve(gateStrips * lanes * hidden))
        packBias(parameters)
        isReadyForTraining = training
        guard training else { return }
        packing.packColumns(
            of: parameters.inputWeight, stride: inputSize, columns: inputSize, blocks: gates, blockRows: hidden,
            padsBlocks: true,
            into: inputTransposedBuffer.reserve(packing.strips(inputSize) * gateStrips * lanes * lanes))
        packing.packColumns(
            of: parameters.hiddenWeight, stride: hidden, columns: hidden, blocks: gates, blockRows: hidden,
            padsBlocks: true, into: hiddenTransposedBuffer.reserve(unitStrips * gateStrips * lanes * lanes))
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
