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
    var offsets = arguments.leftOffsets
    var right = arguments.right
    for leaf in 0..<arguments.leafCount {
        let depth = arguments.leafDepths[leaf]
        var column = 0
        for tileIndex in 0..<tiles.parts {
            let height = tiles.size(tileIndex)
            OuterTile(
                columns: arguments.left + column, offsets: offsets, depth: depth, panel: right, leaf: leaf,
                levels: arguments.scratch + column &* width, levelStride: arguments.leftColumns &* width,
                target: leaf == arguments.leafCount &- 1
                    ? arguments.target + column &* arguments.targetStride : nil,
                targetStride: arguments.targetStride,
                lastColumns: arguments.rightColumns &- (vectors &- 1) &* laneCount,
                continuesChain: arguments.continuesChain
            ).add(rows: height, vectors: vectors)
            column &+= height
        }
        offsets += depth
        right += depth &* width
    }
}

/// One leaf of one tile: its chains, sum of row r, column vector v = Σₖ columns[offsets[k] + r]·panel[k, v], k
/// ascending, and the additions of the tree that follow it.
private struct OuterTile {
    let columns: UnsafePointer<Float>
    let offsets: UnsafePointer<Int>
    let depth: Int
    let panel: UnsafePointer<Float>
    let leaf: Int
    /// Complete subtrees that wait for their sibling, one tile for each size.
    let levels: UnsafeMutablePointer<Float>
    let levelStride: Int
    /// After the last leaf: what the total is added to.
    let target: UnsafeMutablePointer<Float>?
    let targetStride: Int
    let lastColumns: Int
    let continuesChain: Bool

    @inline(__always) func add(rows: Int, vectors: Int) {
        tileRows > 3 && rows > 3 ? addTall(self, rows, vectors) : addShort(self, rows, vectors)
    }

    /// `rows` and `vectors` are constants.
    @inline(__always) fileprivate func run(rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        var tile = Tile()
        if continuesChain, let target {
            tile.forEachRow(rows) { quad, row in
                quad = loadQuad(vectors, target + row &* targetStride, laneCount, lastColumns)
            }
        }
        var b = panel
        var offset = offsets
        var remaining = depth
        while remaining > 0 {
            // The last column: the first ones share their line with the tile before.
            baton_prefetch_to_l1(columns + offset[OuterProductArguments.lookahead] + (rows &- 1))
            tile.multiplyAdd(
                rows: rows, vectors: vectors, RowScalars(rows: rows, columns + offset.pointee, stride: 1), b)
            offset += 1
            b += width
            remaining &-= 1
        }
        var carry = leaf
        var level = levels
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

// Functions of three tile shapes each: all shapes in one would exceed what the optimiser inlines.
@inline(never) private func addTallFour(_ tile: OuterTile, _ rows: Int) {
    withTallRows(rows) { tile.run(rows: $0, vectors: 4) }
}
@inline(never) private func addTallThree(_ tile: OuterTile, _ rows: Int) {
    withTallRows(rows) { tile.run(rows: $0, vectors: 3) }
}
@inline(never) private func addTallTwo(_ tile: OuterTile, _ rows: Int) {
    withTallRows(rows) { tile.run(rows: $0, vectors: 2) }
}
@inline(never) private func addTallOne(_ tile: OuterTile, _ rows: Int) {
    withTallRows(rows) { tile.run(rows: $0, vectors: 1) }
}
private func addTall(_ tile: OuterTile, _ rows: Int, _ vectors: Int) {
    switch vectors {
    case 4: addTallFour(tile, rows)
    case 3: addTallThree(tile, rows)
    case 2: addTallTwo(tile, rows)
    default: addTallOne(tile, rows)
    }
}

@inline(never) private func addShortFour(_ tile: OuterTile, _ rows: Int) {
    withShortRows(rows) { tile.run(rows: $0, vectors: 4) }
}
@inline(never) private func addShortThree(_ tile: OuterTile, _ rows: Int) {
    withShortRows(rows) { tile.run(rows: $0, vectors: 3) }
}
@inline(never) private func addShortTwo(_ tile: OuterTile, _ rows: Int) {
    withShortRows(rows) { tile.run(rows: $0, vectors: 2) }
}
@inline(never) private func addShortOne(_ tile: OuterTile, _ rows: Int) {
    withShortRows(rows) { tile.run(rows: $0, vectors: 1) }
}
private func addShort(_ tile: OuterTile, _ rows: Int, _ vectors: Int) {
    switch vectors {
    case 4: addShortFour(tile, rows)
    case 3: addShortThree(tile, rows)
    case 2: addShortTwo(tile, rows)
    default: addShortOne(tile, rows)
    }
}

/// Bias gradient of one strip (see `ColumnSumArguments`): same chains, same tree.
func columnSum(_ arguments: ColumnSumArguments) {
    // One partial sum per level of the tree; eight leaves need four levels, 2¹⁵ leaves sixteen.
    withUnsafeTemporaryAllocation(of: Lane.self, capacity: 16) { levels in
        var total = Lane()
        var offset = arguments.offsets
        for leaf in 0..<arguments.leafCount {
            var sum = arguments.continuesChain ? loadPartial(arguments.target, arguments.columns) : Lane()
            for _ in 0..<arguments.leafDepths[leaf] {
                sum += loadPartial(arguments.source + offset.pointee, arguments.columns)
                offset += 1
            }
            var carry = leaf
            var level = 0
            while carry & 1 == 1 {
                sum = levels[level] + sum
                carry >>= 1
                level &+= 1
            }
            levels[level] = sum
            total = sum
        }
        if !arguments.continuesChain { total = loadPartial(arguments.target, arguments.columns) + total }
        storePartial(total, arguments.target, arguments.columns)
    }
}

/// Packs rows (see `RowPackArguments`): whole vectors, because rows of one strip are too short for `memcpy`.
func packRows(_ arguments: RowPackArguments) {
    var source = arguments.source
    var target = arguments.target
    for _ in 0..<arguments.rows {
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
