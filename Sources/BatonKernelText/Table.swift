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
    let vectors = 3
    let width = vectors &* laneCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: tileRows &* width) { memory in
        // All different, or the optimiser would see that the chains are equal and keep one.
        for index in 0..<tileRows &* width { memory[index] = Float(repetitions &+ index) * 1e-9 }
        guard let columns = memory.baseAddress else { return }
        var tile = Tile()
        tile.forEachRow(tileRows) { quad, row in
            quad = Quad(vectors: vectors, loading: columns + row &* width, stride: laneCount)
        }
        let scalars = RowScalars(rows: tileRows, columns, stride: 0)
        for _ in 0..<repetitions &* 64 {
            tile.multiplyAdd(rows: tileRows, vectors: vectors, scalars, columns)
        }
        tile.forEachRow(tileRows) { quad, row in storeQuad(quad, vectors, columns + row &* width, laneCount, laneCount)
        }
    }
    return repetitions &* 64 &* tileRows &* vectors &* laneCount &* 2
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
