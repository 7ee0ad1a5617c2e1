import BatonKernelABI
import CLanes

/// Weight gradient of one strip of left columns against one packed panel (see `OuterProductArguments`).
///
/// One leaf is one chain; leaves are combined like a binary counter: after leaf i, the partial sums of all complete
/// subtrees ending at i are joined, left + right, so the order of additions is that of a perfect binary tree.
func outerProduct(_ arguments: OuterProductArguments) {
    switch arguments.rightStrips {
    case 4: outerProductPanel4(arguments)
    case 3: outerProductPanel3(arguments)
    case 2: outerProductPanel2(arguments)
    default: outerProductPanel1(arguments)
    }
}

// One function per panel width (see MatrixProduct.swift).
@inline(never) private func outerProductPanel4(_ arguments: OuterProductArguments) {
    outerProductPanel(arguments, vectors: 4)
}
@inline(never) private func outerProductPanel3(_ arguments: OuterProductArguments) {
    outerProductPanel(arguments, vectors: 3)
}
@inline(never) private func outerProductPanel2(_ arguments: OuterProductArguments) {
    outerProductPanel(arguments, vectors: 2)
}
@inline(never) private func outerProductPanel1(_ arguments: OuterProductArguments) {
    outerProductPanel(arguments, vectors: 1)
}

@inline(__always) private func outerProductPanel(_ arguments: OuterProductArguments, vectors: Int) {
    let width = vectors &* laneCount
    let levelStride = laneCount &* width
    let tiles = BalancedParts(arguments.leftColumns, limit: tileRows)
    var offsets = arguments.leftOffsets
    var right = arguments.right
    for leaf in 0..<arguments.leafCount {
        let depth = arguments.leafDepths[leaf]
        var column = 0
        for tileIndex in 0..<tiles.parts {
            let height = tiles.size(tileIndex)
            withConstantRows(height) { tileHeight in
                var tile = Tile()
                tile.extend(
                    rows: tileHeight, vectors: vectors, columns: arguments.left + column, offsets: offsets,
                    depth: depth, panel: right)
                var carry = leaf
                var level = arguments.scratch + column &* width
                while carry & 1 == 1 {
                    let sibling = level
                    tile.forEachRow(tileHeight) { quad, index in
                        let there = Quad(vectors: vectors, loading: sibling + index &* width, stride: laneCount)
                        quad = addQuad(vectors, there, quad)
                    }
                    carry >>= 1
                    level += levelStride
                }
                if leaf == arguments.leafCount &- 1 {
                    let lastColumns = arguments.rightColumns &- (vectors &- 1) &* laneCount
                    tile.forEachRow(tileHeight) { quad, index in
                        let target = arguments.target + (column &+ index) &* arguments.targetStride
                        let there = loadQuad(vectors, target, laneCount, lastColumns)
                        storeQuad(addQuad(vectors, there, quad), vectors, target, laneCount, lastColumns)
                    }
                } else {
                    tile.forEachRow(tileHeight) { quad, index in
                        storeQuad(quad, vectors, level + index &* width, laneCount, laneCount)
                    }
                }
            }
            column &+= height
        }
        offsets += depth
        right += depth &* width
    }
}

extension Tile {
    /// Continues the chain of every accumulator: row r, column vector v += Σₖ columns[offsets[k] + r]·B[k, v].
    @inline(__always) fileprivate mutating func extend(
        rows: Int, vectors: Int, columns: UnsafePointer<Float>, offsets: UnsafePointer<Int>, depth: Int,
        panel: UnsafePointer<Float>
    ) {
        var b = panel
        for k in 0..<depth {
            baton_prefetch_to_l1(columns + offsets[k &+ OuterProductArguments.lookahead])
            let a = columns + offsets[k]
            let right = Quad(vectors: vectors, loading: b, stride: laneCount)
            r0.multiplyAdd(vectors, a[0], right)
            if rows > 1 { r1.multiplyAdd(vectors, a[1], right) }
            if rows > 2 { r2.multiplyAdd(vectors, a[2], right) }
            if rows > 3 { r3.multiplyAdd(vectors, a[3], right) }
            if rows > 4 { r4.multiplyAdd(vectors, a[4], right) }
            if rows > 5 { r5.multiplyAdd(vectors, a[5], right) }
            b += vectors &* laneCount
        }
    }
}

/// Bias gradient of one strip (see `ColumnSumArguments`): same chains, same tree.
func columnSum(_ arguments: ColumnSumArguments) {
    // One partial sum per level of the tree; eight leaves need four levels, 2¹⁵ leaves sixteen.
    withUnsafeTemporaryAllocation(of: Lane.self, capacity: 16) { levels in
        var total = Lane()
        var offset = arguments.offsets
        for leaf in 0..<arguments.leafCount {
            var sum = Lane()
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
        let there = loadPartial(arguments.target, arguments.columns)
        storePartial(there + total, arguments.target, arguments.columns)
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
