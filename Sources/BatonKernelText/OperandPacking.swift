import BatonKernelABI
import CLanes

/// Packs left columns for `outerProduct` (see `ColumnPackArguments`).
func packColumns(_ arguments: ColumnPackArguments) {
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
    for k in 0..<depth {
        // The rows lie on different pages, which no prefetcher of the hardware foresees.
        if k &+ 8 < depth {
            let ahead = UnsafeRawPointer(source + offsets[k &+ 8])
            baton_prefetch_to_l1(ahead)
            baton_prefetch_to_l1(ahead + 64)
            baton_prefetch_to_l1(ahead + 128)
        }
        var from = source + offsets[k]
        var to = target + k &* rows
        for _ in 0..<count {
            to[0] = from[0]
            if rows > 1 { to[1] = from[1] }
            if rows > 2 { to[2] = from[2] }
            if rows > 3 { to[3] = from[3] }
            if rows > 4 { to[4] = from[4] }
            if rows > 5 { to[5] = from[5] }
            from += rows
            to += depth &* rows
        }
    }
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
