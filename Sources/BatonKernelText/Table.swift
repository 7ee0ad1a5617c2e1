public import BatonKernelABI

/// The kernels of this target's instruction set.
public func makeKernelTable() -> KernelTable {
    KernelTable(
        laneCount: laneCount, matrixProduct: matrixProduct, outerProduct: outerProduct, columnSum: columnSum,
        packRows: packRows, transposeRows: transposeRows, quantizeRows: quantizeRows,
        quantizeRowBytes: quantizeRowBytes, roundRows: roundRows, roundRowPairs: roundRowPairs,
        packLeftTiles: packLeftTiles,
        lstmForward: lstmForward, gruForward: gruForward, rnnForward: rnnForward, lstmBackward: lstmBackward,
        gruBackward: gruBackward, rnnBackward: rnnBackward, peak: peak, readSweep: readSweep,
        exponential: { map($0, $1, $2, laneExp) }, hyperbolicTangent: { map($0, $1, $2, laneTanh) },
        sigmoid: { map($0, $1, $2, laneSigmoid) }, elementWise: makeElementWiseTable())
}

/// Independent chains of fused multiply-adds in registers, the ceiling every product is measured against.
private func peak(_ repetitions: Int) -> Int {
    // Of sixteen registers twelve chains, beside which the operands find room; two units of five cycles need ten. Of
    // thirty-two eighteen.
    let (rows, vectors) = (6, hasShortTiles ? 2 : 3)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows &* vectors &* laneCount) { memory in
        // All different, or the optimiser would see that the chains are equal and keep one.
        for index in memory.indices { memory[index] = Float(repetitions &+ index) * 1e-9 }
        guard let columns = memory.baseAddress else { return }
        PeakChains(repetitions: repetitions &* 64, columns: columns).run(shape: rows, vectors)
    }
    return repetitions &* 64 &* rows &* vectors &* laneCount &* 2
}

private struct PeakChains: TileWork {
    let repetitions: Int
    let columns: UnsafeMutablePointer<Float>

    @inline(__always) func run(rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        var tile = Tile(rows: rows, vectors: vectors, loading: columns, stride: width, columns: laneCount)
        let scalars = RowScalars(rows: rows, columns, stride: 0)
        for _ in 0..<repetitions { tile.multiplyAdd(rows: rows, vectors: vectors, scalars, columns) }
        tile.store(rows: rows, vectors: vectors, to: columns, stride: width, columns: laneCount)
    }
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
