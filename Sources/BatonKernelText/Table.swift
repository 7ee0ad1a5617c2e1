public import BatonKernelABI

/// The kernels of this target's instruction set.
public func makeKernelTable() -> KernelTable {
    KernelTable(
        laneCount: laneCount, matrixProduct: matrixProduct, outerProduct: outerProduct, columnSum: columnSum,
        packRows: packRows, packColumns: packColumns,
        lstmForward: lstmForward, gruForward: gruForward, rnnForward: rnnForward, lstmBackward: lstmBackward,
        gruBackward: gruBackward, rnnBackward: rnnBackward, peak: peak, readSweep: readSweep,
        exponential: { map($0, $1, $2, laneExp) }, hyperbolicTangent: { map($0, $1, $2, laneTanh) },
        sigmoid: { map($0, $1, $2, laneSigmoid) }, elementWise: makeElementWiseTable())
}

/// Independent chains of fused multiply-adds in registers, the ceiling every product is measured against.
@inline(never) private func peak(_ repetitions: Int) -> Int {
    // Three vectors: with four, AVX2 has too few registers to keep the operands beside the chains.
    let (rows, vectors) = (tileRows(vectors: 4), 3)
    let width = vectors &* laneCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows &* width) { memory in
        // All different, or the optimiser would see that the chains are equal and keep one.
        for index in 0..<rows &* width { memory[index] = Float(repetitions &+ index) * 1e-9 }
        guard let columns = memory.baseAddress else { return }
        var tile = Tile(rows: rows, vectors: vectors, loading: columns, stride: width, columns: laneCount)
        let scalars = RowScalars(rows: rows, columns, stride: 0)
        for _ in 0..<repetitions &* 64 {
            tile.multiplyAdd(rows: rows, vectors: vectors, scalars, columns)
        }
        tile.store(rows: rows, vectors: vectors, to: columns, stride: width, columns: laneCount)
    }
    return repetitions &* 64 &* rows &* vectors &* laneCount &* 2
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
