import BatonKernelABI
import CLanes

/// Weight gradient of a few strips of left columns against one packed panel (see `OuterProductArguments`).
///
/// One leaf is one chain; leaves are combined like a binary counter: after leaf i, the partial sums of all complete
/// subtrees ending at i are joined, left + right, so the order of additions is that of a perfect binary tree.
func outerProduct(_ arguments: OuterProductArguments) {
    let vectors = arguments.rightStrips
    let width = vectors &* laneCount
    let tiles = BalancedParts(arguments.leftColumns, limit: tileRows)
    let levelStride = arguments.leftColumns &* width
    var left = arguments.left
    var right = arguments.right
    for leaf in 0..<arguments.leafCount {
        let pieces = leafPieces(arguments.leafDepths[leaf])
        // A leaf of no rows takes part in the tree all the same.
        let pieceCount = pieces.parts == 0 ? 1 : pieces.parts
        let isLast = leaf == arguments.leafCount &- 1
        for pieceIndex in 0..<pieceCount {
            let depth = pieces.size(pieceIndex)
            let upcoming = UnsafeRawPointer(right + depth &* width)
            var column = 0
            for tileIndex in 0..<tiles.parts {
                let height = tiles.size(tileIndex)
                OuterTile(
                    left: left + column &* depth, depth: depth, panel: right,
                    upcoming: UpcomingPanel(upcoming, width: width, depth: depth, tile: tileIndex, of: tiles.parts),
                    leaf: leaf,
                    waiting: arguments.scratch + column &* width, levelStride: levelStride,
                    beginsChain: pieceIndex == 0, endsChain: pieceIndex == pieceCount &- 1,
                    target: isLast ? arguments.target + column &* arguments.targetStride : nil,
                    targetStride: arguments.targetStride,
                    lastColumns: arguments.rightColumns &- (vectors &- 1) &* laneCount,
                    continuesChain: arguments.continuesChain
                ).add(rows: height, vectors: vectors)
                column &+= height
            }
            left += depth &* arguments.leftColumns
            right += depth &* width
        }
    }
}

/// The pieces of a leaf that are worked on with one part of the panel, which the first-level cache keeps for all tiles; see
/// `cutDepth`.
@inline(__always) func leafPieces(_ depth: Int) -> BalancedParts {
    BalancedParts(depth, limit: cutDepth(tiles: tileRows))
}

/// A piece of one leaf of one tile: its chains, sum of row r, column vector v = Σₖ left[k·rows + r]·panel[k, v], k
/// ascending, and after the last piece the additions of the tree that follow it.
private struct OuterTile {
    let left: UnsafePointer<Float>
    let depth: Int
    let panel: UnsafePointer<Float>
    let upcoming: UpcomingPanel?
    let leaf: Int
    /// Where the chains wait between two pieces; after it complete subtrees that wait for their sibling, one tile for each
    /// size.
    let waiting: UnsafeMutablePointer<Float>
    let levelStride: Int
    let beginsChain: Bool
    let endsChain: Bool
    /// In the last leaf: what the total is added to.
    let target: UnsafeMutablePointer<Float>?
    let targetStride: Int
    let lastColumns: Int
    let continuesChain: Bool

    @inline(__always) func add(rows: Int, vectors: Int) {
        addTile(self, rows, vectors)
    }

    /// `rows` and `vectors` are constants (see TileShapes).
    @inline(__always) fileprivate func run(rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        var tile = begin(rows: rows, vectors: vectors)
        var a = left
        var b = UnsafeRawPointer(panel)
        var upcoming = upcoming
        var remaining = depth
        while remaining >= chainUnroll {
            upcoming?.fetch()
            tile.multiplyAddRun(a, stride: 1, step: rows, b, rows: rows, vectors: vectors)
            a += chainUnroll &* rows
            b += chainUnroll &* width &* 4
            remaining &-= chainUnroll
        }
        while remaining > 0 {
            tile.multiplyAdd(rows: rows, vectors: vectors, RowScalars(rows: rows, a, stride: 1), b)
            a += rows
            b += width &* 4
            remaining &-= 1
        }
        end(&tile, rows: rows, vectors: vectors)
    }

    /// What the chains of this piece begin with.
    @inline(__always) private func begin(rows: Int, vectors: Int) -> Tile {
        let width = vectors &* laneCount
        var tile = Tile()
        if !beginsChain {
            tile.forEachRow(rows) { quad, row in
                quad = Quad(vectors: vectors, loading: waiting + row &* width, stride: laneCount)
            }
        } else if continuesChain, let target {
            tile.forEachRow(rows) { quad, row in
                quad = loadQuad(vectors, target + row &* targetStride, laneCount, lastColumns)
            }
        }
        if endsChain, let target {
            // Nothing has read the gradient for long; the chains give its lines time to arrive.
            tile.forEachRow(rows) { _, row in
                let place = UnsafeRawPointer(target + row &* targetStride)
                baton_prefetch_to_l1(place)
                if width &* 4 > 64 { baton_prefetch_to_l1(place + 64) }
                if width &* 4 > 128 { baton_prefetch_to_l1(place + 128) }
                if width &* 4 > 192 { baton_prefetch_to_l1(place + 192) }
            }
        }
        return tile
    }

    @inline(__always) private func end(_ tile: inout Tile, rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        guard endsChain else {
            tile.forEachRow(rows) { quad, row in
                storeQuad(quad, vectors, waiting + row &* width, laneCount, laneCount)
            }
            return
        }
        var carry = leaf
        var level = waiting + levelStride
        while carry & 1 == 1 {
            let sibling = level
            tile.forEachRow(rows) { quad, row in
                let there = Quad(vectors: vectors, loading: sibling + row &* width, stride: laneCount)
                quad = addQuad(vectors, there, quad)
            }
            carry >>= 1
            level += levelStride
        }
        if let target {
            tile.forEachRow(rows) { quad, row in
                let place = target + row &* targetStride
                if !continuesChain {
                    quad = addQuad(vectors, loadQuad(vectors, place, laneCount, lastColumns), quad)
                }
                storeQuad(quad, vectors, place, laneCount, lastColumns)
            }
        } else {
            tile.forEachRow(rows) { quad, row in
                storeQuad(quad, vectors, level + row &* width, laneCount, laneCount)
            }
        }
    }
}

// A function for each shape, rows × vectors, as in TileShapes.
@inline(never) private func add6x4(_ tile: OuterTile) { tile.run(rows: 6, vectors: 4) }
@inline(never) private func add6x3(_ tile: OuterTile) { tile.run(rows: 6, vectors: 3) }
@inline(never) private func add6x2(_ tile: OuterTile) { tile.run(rows: 6, vectors: 2) }
@inline(never) private func add6x1(_ tile: OuterTile) { tile.run(rows: 6, vectors: 1) }
@inline(never) private func add5x4(_ tile: OuterTile) { tile.run(rows: 5, vectors: 4) }
@inline(never) private func add5x3(_ tile: OuterTile) { tile.run(rows: 5, vectors: 3) }
@inline(never) private func add5x2(_ tile: OuterTile) { tile.run(rows: 5, vectors: 2) }
@inline(never) private func add5x1(_ tile: OuterTile) { tile.run(rows: 5, vectors: 1) }
@inline(never) private func add4x4(_ tile: OuterTile) { tile.run(rows: 4, vectors: 4) }
@inline(never) private func add4x3(_ tile: OuterTile) { tile.run(rows: 4, vectors: 3) }
@inline(never) private func add4x2(_ tile: OuterTile) { tile.run(rows: 4, vectors: 2) }
@inline(never) private func add4x1(_ tile: OuterTile) { tile.run(rows: 4, vectors: 1) }
@inline(never) private func add3x4(_ tile: OuterTile) { tile.run(rows: 3, vectors: 4) }
@inline(never) private func add3x3(_ tile: OuterTile) { tile.run(rows: 3, vectors: 3) }
@inline(never) private func add3x2(_ tile: OuterTile) { tile.run(rows: 3, vectors: 2) }
@inline(never) private func add3x1(_ tile: OuterTile) { tile.run(rows: 3, vectors: 1) }
@inline(never) private func add2x4(_ tile: OuterTile) { tile.run(rows: 2, vectors: 4) }
@inline(never) private func add2x3(_ tile: OuterTile) { tile.run(rows: 2, vectors: 3) }
@inline(never) private func add2x2(_ tile: OuterTile) { tile.run(rows: 2, vectors: 2) }
@inline(never) private func add2x1(_ tile: OuterTile) { tile.run(rows: 2, vectors: 1) }
@inline(never) private func add1x4(_ tile: OuterTile) { tile.run(rows: 1, vectors: 4) }
@inline(never) private func add1x3(_ tile: OuterTile) { tile.run(rows: 1, vectors: 3) }
@inline(never) private func add1x2(_ tile: OuterTile) { tile.run(rows: 1, vectors: 2) }
@inline(never) private func add1x1(_ tile: OuterTile) { tile.run(rows: 1, vectors: 1) }

private func addTile(_ tile: OuterTile, _ rows: Int, _ vectors: Int) {
    if tileRows > 3 {
        switch (rows, vectors) {
        case (6, 4): return add6x4(tile)
        case (6, 3): return add6x3(tile)
        case (6, 2): return add6x2(tile)
        case (6, 1): return add6x1(tile)
        case (5, 4): return add5x4(tile)
        case (5, 3): return add5x3(tile)
        case (5, 2): return add5x2(tile)
        case (5, 1): return add5x1(tile)
        case (4, 4): return add4x4(tile)
        case (4, 3): return add4x3(tile)
        case (4, 2): return add4x2(tile)
        case (4, 1): return add4x1(tile)
        default: break
        }
    }
    switch (rows, vectors) {
    case (3, 4): add3x4(tile)
    case (3, 3): add3x3(tile)
    case (3, 2): add3x2(tile)
    case (3, 1): add3x1(tile)
    case (2, 4): add2x4(tile)
    case (2, 3): add2x3(tile)
    case (2, 2): add2x2(tile)
    case (2, 1): add2x1(tile)
    case (1, 4): add1x4(tile)
    case (1, 3): add1x3(tile)
    case (1, 2): add1x2(tile)
    default: add1x1(tile)
    }
}
