import BatonKernelABI
import CLanes

/// Weight gradient of a few strips of left columns against one packed panel (see `OuterProductArguments`).
///
/// One leaf is one chain; leaves are combined like a binary counter: after leaf i, the partial sums of all complete
/// subtrees ending at i are joined, left + right, so the order of additions is that of a perfect binary tree.
func outerProduct(_ arguments: OuterProductArguments) {
    let vectors = arguments.rightStrips
    let width = vectors &* laneCount
    let tiles = BalancedParts(arguments.leftColumns, limit: outerTileRows)
    let levelStride = arguments.leftColumns &* width
    var left = arguments.left
    var right = arguments.right
    for leaf in 0..<arguments.leafCount {
        let pieces = leafPieces(arguments.leafDepths[leaf])
        // A leaf of no rows takes part in the tree all the same.
        let pieceCount = pieces.parts == 0 ? 1 : pieces.parts
        let isLast = leaf == arguments.leafCount &- 1
        var rest = arguments.rightDepths[leaf]
        for pieceIndex in 0..<pieceCount {
            let depth = pieces.size(pieceIndex)
            let terms = smaller(depth, rest)
            rest &-= terms
            OuterTiles(
                left: left, depth: depth, terms: terms, panel: right,
                upcoming: UpcomingPanel(
                    UnsafeRawPointer(right + terms &* width), width: width, tiles: tiles.parts),
                leaf: leaf, waiting: arguments.scratch, levelStride: levelStride,
                beginsChain: pieceIndex == 0, endsChain: pieceIndex == pieceCount &- 1,
                target: isLast ? arguments.target : nil, targetStride: arguments.targetStride,
                lastColumns: arguments.rightColumns &- (vectors &- 1) &* laneCount,
                continuesChain: arguments.continuesChain
            ).add(tiles, vectors: vectors)
            left += depth &* arguments.leftColumns
            right += terms &* width
        }
    }
}

/// Rows of a tile of any width: the left operand is packed for them before it is known how many vectors they meet.
@inline(__always) var outerTileRows: Int { tileRows(vectors: 4) }

/// The pieces of a leaf that are worked on with one part of the panel, which the first-level cache keeps for all tiles; see
/// `cutDepth`.
@inline(__always) func leafPieces(_ depth: Int) -> BalancedParts {
    BalancedParts(depth, limit: cutDepth(tiles: outerTileRows))
}

/// A piece of one leaf of some tiles of equal height, one below the other: the chains of each, sum of row r, column vector v =
/// Σₖ left[k·rows + r]·panel[k, v], k ascending, and after the last piece the additions of the tree that follow it.
private struct OuterTiles: TileWork {
    var count = 0
    var left: UnsafePointer<Float>
    /// Rows of the left tiles, and those among them that the right operand has.
    let depth: Int
    let terms: Int
    let panel: UnsafePointer<Float>
    var upcoming: UpcomingPanel
    let leaf: Int
    /// Where the chains wait between two pieces; after it complete subtrees that wait for their sibling, one tile for each
    /// size.
    var waiting: UnsafeMutablePointer<Float>
    let levelStride: Int
    let beginsChain: Bool
    let endsChain: Bool
    /// In the last leaf: what the total is added to.
    var target: UnsafeMutablePointer<Float>?
    let targetStride: Int
    let lastColumns: Int
    let continuesChain: Bool

    /// All of `tiles`, the taller ones first.
    @inline(__always) func add(_ tiles: BalancedParts, vectors: Int) {
        var part = self
        if tiles.largerParts > 0 {
            part.count = tiles.largerParts
            part.run(shape: tiles.smaller &+ 1, vectors)
            part.skip(tiles.largerParts &* (tiles.smaller &+ 1), vectors: vectors)
            part.upcoming = upcoming.dropping(tiles.largerParts, depth: terms)
        }
        part.count = tiles.parts &- tiles.largerParts
        part.run(shape: tiles.smaller, vectors)
    }

    @_transparent private mutating func skip(_ rows: Int, vectors: Int) {
        left += rows &* depth
        waiting += rows &* vectors &* laneCount
        if let place = target { target = place + rows &* targetStride }
    }

    @inline(__always) func run(rows: Int, vectors: Int) {
        var rest = self
        for _ in 0..<count {
            var tile = rest.begin(rows: rows, vectors: vectors)
            rest.addChains(&tile, rows: rows, vectors: vectors)
            rest.end(&tile, rows: rows, vectors: vectors)
            rest.skip(rows, vectors: vectors)
        }
    }

    /// What the chains of this piece begin with.
    @_transparent private func begin(rows: Int, vectors: Int) -> Tile {
        let width = vectors &* laneCount
        var tile = Tile()
        if !beginsChain {
            tile = Tile(rows: rows, vectors: vectors, loading: waiting, stride: width, last: width &- laneCount)
        } else if continuesChain, let target {
            tile = Tile(rows: rows, vectors: vectors, loading: target, stride: targetStride, columns: lastColumns)
        }
        if endsChain, let target {
            // Nothing has read the gradient for long; the chains give its lines time to arrive.
            fetchLines(target, rows: rows, stride: targetStride &* 4, bytes: width &* 4)
        }
        return tile
    }

    @_transparent private mutating func addChains(_ tile: inout Tile, rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        var a = left
        var b = UnsafeRawPointer(panel)
        var remaining = terms
        var lines = upcoming.takeTile(depth: terms)
        while remaining >= chainUnroll {
            if lines.isFetched { lines.fetch() }
            tile.multiplyAddRun(a, stride: 1, step: rows, b, rows: rows, vectors: vectors, width: vectors)
            a += chainUnroll &* rows
            b += chainUnroll &* width &* 4
            remaining &-= chainUnroll
        }
        while remaining > 0 {
            tile.multiplyAdd(rows: rows, vectors: vectors, a, stride: 1, b, format: .float32, part: 0)
            a += rows
            b += width &* 4
            remaining &-= 1
        }
    }

    @_transparent private func end(_ tile: inout Tile, rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        let last = width &- laneCount
        if !endsChain {
            tile.keep(rows: rows, vectors: vectors, to: waiting, stride: width, last: last)
            return
        }
        var carry = leaf
        var level = waiting + levelStride
        while carry & 1 == 1 {
            tile.add(
                to: Tile(rows: rows, vectors: vectors, loading: level, stride: width, last: last), rows: rows,
                vectors: vectors)
            carry >>= 1
            level += levelStride
        }
        if let target {
            if !continuesChain {
                tile.add(
                    to: Tile(
                        rows: rows, vectors: vectors, loading: target, stride: targetStride, columns: lastColumns),
                    rows: rows, vectors: vectors)
            }
            tile.store(rows: rows, vectors: vectors, to: target, stride: targetStride, columns: lastColumns)
        } else {
            tile.keep(rows: rows, vectors: vectors, to: level, stride: width, last: last)
        }
    }
}
