import BatonKernelABI
import CLanes

/// Packs left columns for `outerProduct` (see `LeftTilePackArguments`).
func packLeftTiles(_ arguments: LeftTilePackArguments) {
    let columns = arguments.columns
    let tiles = BalancedParts(columns.count, limit: outerTileRows)
    var offsets = columns.offsets
    var target = arguments.target
    for leaf in 0..<columns.leafCount {
        let pieces = leafPieces(columns.leafDepths[leaf])
        for pieceIndex in 0..<pieces.parts {
            let depth = pieces.size(pieceIndex)
            let larger = tiles.largerParts &* (tiles.smaller &+ 1)
            if larger > 0 {
                packTiles(
                    columns.source, offsets, depth: depth, rows: tiles.smaller &+ 1, count: tiles.largerParts,
                    into: target)
            }
            packTiles(
                columns.source + larger, offsets, depth: depth, rows: tiles.smaller,
                count: tiles.parts &- tiles.largerParts, into: target + larger &* depth)
            offsets += depth
            target += depth &* columns.count
        }
    }
}

/// `count` tiles of `rows` columns each, row after row of the source.
@inline(__always) private func packTiles(
    _ source: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>, depth: Int, rows: Int, count: Int,
    into target: UnsafeMutablePointer<Float>
) {
    if rows > 3 {
        withTallRows(rows) { packTiles(source, offsets, depth: depth, constantRows: $0, count: count, into: target) }
    } else {
        withShortRows(rows) { packTiles(source, offsets, depth: depth, constantRows: $0, count: count, into: target) }
    }
}

@inline(__always) private func packTiles(
    _ source: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>, depth: Int, constantRows rows: Int, count: Int,
    into target: UnsafeMutablePointer<Float>
) {
    // Four rows of the source at a time: the tiles lie a few cache sets apart, which keep a line of each only while all of it
    // is written.
    var k = 0
    while k &+ 4 <= depth {
        for next in k &+ 8..<k &+ 12 where next < depth { fetchSource(source + offsets[next]) }
        let (first, second, third, fourth) = (offsets[k], offsets[k &+ 1], offsets[k &+ 2], offsets[k &+ 3])
        var from = source
        var to = target + k &* rows
        for _ in 0..<count {
            copyElements(from + first, to, rows)
            copyElements(from + second, to + rows, rows)
            copyElements(from + third, to + 2 &* rows, rows)
            copyElements(from + fourth, to + 3 &* rows, rows)
            from += rows
            to += depth &* rows
        }
        k &+= 4
    }
    while k < depth {
        for tile in 0..<count {
            copyElements(source + offsets[k] + tile &* rows, target + (tile &* depth &+ k) &* rows, rows)
        }
        k &+= 1
    }
}

/// The rows lie on different pages, which no prefetcher of the hardware foresees.
@inline(__always) private func fetchSource(_ row: UnsafePointer<Float>) {
    let line = UnsafeRawPointer(row)
    baton_prefetch_to_l1(line)
    baton_prefetch_to_l1(line + 64)
    baton_prefetch_to_l1(line + 128)
}

/// All are read before the first is written, which lets the optimiser join them to vectors.
///
/// - Parameter count: a constant of 1...6.
@inline(__always) private func copyElements(
    _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>, _ count: Int
) {
    let e0 = from[0]
    let e1 = count > 1 ? from[1] : 0
    let e2 = count > 2 ? from[2] : 0
    let e3 = count > 3 ? from[3] : 0
    let e4 = count > 4 ? from[4] : 0
    let e5 = count > 5 ? from[5] : 0
    to[0] = e0
    if count > 1 { to[1] = e1 }
    if count > 2 { to[2] = e2 }
    if count > 3 { to[3] = e3 }
    if count > 4 { to[4] = e4 }
    if count > 5 { to[5] = e5 }
}

/// Runs `body` with the row count, 4 to 6, as a constant.
@inline(__always) private func withTallRows(_ rows: Int, _ body: (Int) -> Void) {
    switch rows {
    case 6: body(6)
    case 5: body(5)
    default: body(4)
    }
}

/// Runs `body` with the row count, 1 to 3, as a constant.
@inline(__always) private func withShortRows(_ rows: Int, _ body: (Int) -> Void) {
    switch rows {
    case 3: body(3)
    case 2: body(2)
    default: body(1)
    }
}
