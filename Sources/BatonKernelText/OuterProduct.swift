import BatonKernelABI

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
    var left = arguments.left
    var right = arguments.right
    for leaf in 0..<arguments.leafCount {
        let depth = arguments.leafDepths[leaf]
        let operand = ChainOperand(base: left, rowStride: 1, depthStride: laneCount, depth: depth)
        var column = 0
        for tileIndex in 0..<tiles.parts {
            let height = tiles.size(tileIndex)
            withConstantRows(height) { tileHeight in
                var tile = Tile()
                tile.extend(
                    rows: tileHeight, vectors: vectors, operand, firstRow: column, panel: right, panelWidth: width)
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
        left += depth &* laneCount
        right += depth &* width
    }
}

/// Bias gradient of one strip (see `ColumnSumArguments`): same chains, same tree.
func columnSum(_ arguments: ColumnSumArguments) {
    // One partial sum per level of the tree; eight leaves need four levels, 2¹⁵ leaves sixteen.
    withUnsafeTemporaryAllocation(of: Lane.self, capacity: 16) { levels in
        var total = Lane()
        var row = arguments.source
        for leaf in 0..<arguments.leafCount {
            var sum = Lane()
            for _ in 0..<arguments.leafDepths[leaf] {
                sum += load(row)
                row += laneCount
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
