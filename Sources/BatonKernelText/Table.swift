public import BatonKernelABI

/// The kernels of this target's instruction set.
public func makeKernelTable() -> KernelTable {
    KernelTable(
        laneCount: laneCount, matrixProduct: matrixProduct, outerProduct: outerProduct, columnSum: columnSum,
        packRows: packRows,
        lstmForward: lstmForward, gruForward: gruForward, rnnForward: rnnForward, lstmBackward: lstmBackward,
        gruBackward: gruBackward, rnnBackward: rnnBackward, peak: peak,
        exponential: { map($0, $1, $2, laneExp) }, hyperbolicTangent: { map($0, $1, $2, laneTanh) },
        sigmoid: { map($0, $1, $2, laneSigmoid) }, elementWise: makeElementWiseTable())
}

/// Independent chains of fused multiply-adds on operands in the first-level cache, the ceiling every product is
/// measured against.
@inline(never) private func peak(_ repetitions: Int) -> Int {
    let depth = 64
    let width = 4 &* laneCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: depth &* (width &+ 8)) { memory in
        memory.initialize(repeating: 1e-3)
        guard let panel = memory.baseAddress else { return }
        let rows = panel + depth &* width
        var tile = Tile()
        let operand = ChainOperand(base: UnsafePointer(rows), rowStride: depth, depth: depth)
        for _ in 0..<repetitions {
            tile.extend(
                rows: tileRows, vectors: 4, operand, firstRow: 0, panel: UnsafePointer(panel), panelWidth: width)
        }
        tile.forEachRow(tileRows) { quad, _ in storeQuad(quad, 4, panel, laneCount, laneCount) }
    }
    return repetitions &* depth &* tileRows &* 4 &* laneCount &* 2
}

@inline(__always) private func map(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ function: (Lane) -> Lane
) {
    var index = 0
    while index < count {
        storePartial(function(loadPartial(x + index, count &- index)), y + index, count &- index)
        index &+= laneCount
    }
}
