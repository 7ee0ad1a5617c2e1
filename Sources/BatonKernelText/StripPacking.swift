import BatonKernelABI
import CLanes

/// Packs rows (see `RowPackArguments`): whole vectors, because rows of one strip are too short for `memcpy`.
func packRows(_ arguments: RowPackArguments) {
    var source = arguments.source
    var target = arguments.target
    for _ in 0..<arguments.rows {
        // A panel takes a few lines of every row, too few for the prefetchers of the hardware.
        let ahead = UnsafeRawPointer(source + 8 &* arguments.stride)
        baton_prefetch_to_l1(ahead)
        if arguments.width > 16 { baton_prefetch_to_l1(ahead + 64) }
        if arguments.width > 32 { baton_prefetch_to_l1(ahead + 128) }
        if arguments.width > 48 { baton_prefetch_to_l1(ahead + 192) }
        var column = 0
        while column < arguments.width {
            let left = arguments.columns &- column
            store(
                left >= laneCount ? load(source + column) : loadPartial(source + column, left > 0 ? left : 0),
                target + column)
            column &+= laneCount
        }
        source += arguments.stride
        target += arguments.width
    }
}

/// Up to a vector of rows becomes one strip of a panel (see `StripTransposeArguments`): squares of vectors, turned in
/// registers. A vector of sixteen lanes is a whole line of the target, so that lines are written once, in any order.
func transposeRows(_ arguments: StripTransposeArguments) {
    let rows = arguments.rows
    var k = 0
    while k < arguments.depth {
        let count = smaller(laneCount, arguments.depth &- k)
        let source = arguments.source + k
        let target = arguments.target + k &* arguments.targetStride
        if rows == laneCount && count == laneCount {
            transposeSquare(target, arguments.targetStride, columns: laneCount) { row in
                load(source + row &* arguments.stride)
            }
        } else {
            transposeSquare(target, arguments.targetStride, columns: count) { row in
                row < rows ? loadPartial(source + row &* arguments.stride, count) : Lane()
            }
        }
        k &+= laneCount
    }
}

/// Row r of a square of vectors becomes lane r of the first `columns` vectors of the target.
///
/// Interleaving the first half of the rows with the second turns the bits of an element's address (row, lane) by one place; after
/// as many times as a lane's number has bits, row and lane have changed places.
@inline(__always) private func transposeSquare(
    _ target: UnsafeMutablePointer<Float>, _ stride: Int, columns: Int, row: (Int) -> Lane
) {
    var vectors = InlineArray<16, Lane>(repeating: Lane())
    for index in 0..<laneCount { vectors[index] = row(index) }
    interleaveHalves(&vectors)
    interleaveHalves(&vectors)
    if laneCount > 4 { interleaveHalves(&vectors) }
    if laneCount > 8 { interleaveHalves(&vectors) }
    for index in 0..<laneCount where index < columns { store(vectors[index], target + index &* stride) }
}

/// One such interleaving, of the `laneCount` vectors in use.
@inline(__always) private func interleaveHalves(_ vectors: inout InlineArray<16, Lane>) {
    let rows = vectors
    for index in 0..<laneCount / 2 {
        vectors[2 &* index] = interleaveLow(rows[index], rows[index &+ laneCount / 2])
        vectors[2 &* index &+ 1] = interleaveHigh(rows[index], rows[index &+ laneCount / 2])
    }
}

/// a₀, b₀, a₁, b₁ … of the lower halves.
@inline(__always) private func interleaveLow(_ a: Lane, _ b: Lane) -> Lane {
    var result = Lane()
    result.evenHalf = a.lowHalf
    result.oddHalf = b.lowHalf
    return result
}

/// The same of the upper halves.
@inline(__always) private func interleaveHigh(_ a: Lane, _ b: Lane) -> Lane {
    var result = Lane()
    result.evenHalf = a.highHalf
    result.oddHalf = b.highHalf
    return result
}
