import BatonKernelABI

/// Bias gradient of up to four strips (see `ColumnSumArguments`): same chains, same tree.
func columnSum(_ arguments: ColumnSumArguments) {
    let vectors = (arguments.columns.count &+ laneCount &- 1) / laneCount
    switch vectors {
    case 4: columnSum(arguments, vectors: 4)
    case 3: columnSum(arguments, vectors: 3)
    case 2: columnSum(arguments, vectors: 2)
    default: columnSum(arguments, vectors: 1)
    }
}

@inline(__always) private func columnSum(_ arguments: ColumnSumArguments, vectors: Int) {
    let rows = arguments.columns
    let lastColumns = rows.count &- (vectors &- 1) &* laneCount
    func columns(_ pointer: UnsafePointer<Float>) -> Quad { loadQuad(vectors, pointer, laneCount, lastColumns) }
    // One partial sum per size of a subtree.
    func level(_ index: Int) -> UnsafeMutablePointer<Float> { arguments.scratch + index &* vectors &* laneCount }
    var total = Quad()
    var offset = rows.offsets
    for leaf in 0..<rows.leafCount {
        var sum = arguments.continuesChain ? columns(arguments.target) : Quad()
        for _ in 0..<rows.leafDepths[leaf] {
            sum = addQuad(vectors, sum, columns(rows.source + offset.pointee))
            offset += 1
        }
        var carry = leaf
        var index = 0
        while carry & 1 == 1 {
            sum = addQuad(vectors, Quad(vectors: vectors, loading: level(index), stride: laneCount), sum)
            carry >>= 1
            index &+= 1
        }
        storeQuad(sum, vectors, level(index), laneCount, laneCount)
        total = sum
    }
    func add(to target: UnsafeMutablePointer<Float>) {
        let sum = arguments.continuesChain ? total : addQuad(vectors, columns(target), total)
        storeQuad(sum, vectors, target, laneCount, lastColumns)
    }
    add(to: arguments.target)
    if let second = arguments.secondTarget { add(to: second) }
}
