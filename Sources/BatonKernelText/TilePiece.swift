import CLanes

/// A piece of the chains of one tile: every accumulator, row r and column vector v, += Σₖ left[r, k]·panel[k, v],
/// k ascending.
///
/// Accumulators come from memory and go back there, which does not change their bits: so one unrolled loop per tile
/// shape serves all products and cells.
struct TilePiece {
    /// Element k of row r at `left[r·leftStride + k]`.
    let left: UnsafePointer<Float>
    let leftStride: Int
    let depth: Int
    /// Row k of the column vectors at `panel + k·vectors·lanes`.
    let panel: UnsafePointer<Float>
    /// The accumulators of row r begin at `accumulators + r·accumulatorStride`; the last vector stands at `last`.
    let accumulators: UnsafeMutablePointer<Float>
    let accumulatorStride: Int
    let last: Int
    /// Fetch the panel ahead of its use: worth it only for a panel that a single tile reads. Where several tiles
    /// follow, the processor's own prefetching is as good, and the instructions cost more than they bring.
    let prefetches: Bool
    /// `depth` lines to fetch into the second-level cache meanwhile: a part of the panel that is worked on next. Where
    /// the weights exceed the third-level cache, that hides the memory behind the tiles.
    let upcoming: UnsafePointer<Float>?

    /// - Parameters:
    ///   - rows: 1...`tileRows`.
    ///   - vectors: 1...4.
    @inline(__always) func extend(rows: Int, vectors: Int) {
        switch vectors {
        case 4: extendFour(self, rows)
        case 3: extendThree(self, rows)
        case 2: extendTwo(self, rows)
        default: extendOne(self, rows)
        }
    }

    /// `rows` and `vectors` are constants.
    @inline(__always) fileprivate func run(rows: Int, vectors: Int) {
        let width = vectors &* laneCount
        var tile = Tile()
        tile.forEachRow(rows) { quad, row in
            let there = accumulators + row &* accumulatorStride
            quad = Quad(vectors: vectors &- 1, loading: there, stride: laneCount)
            let final = load(there + last)
            if vectors == 1 { quad.v0 = final }
            if vectors == 2 { quad.v1 = final }
            if vectors == 3 { quad.v2 = final }
            if vectors == 4 { quad.v3 = final }
        }
        var a = left
        var b = panel
        var line = upcoming
        var remaining = depth
        while remaining > 0 {
            if let address = line {
                baton_prefetch_to_l2(address)
                line = address + 16
            }
            if prefetches {
                let ahead = b + 16 &* width
                baton_prefetch_to_l1(ahead)
                if vectors > 1 { baton_prefetch_to_l1(ahead + laneCount) }
                if vectors > 2 { baton_prefetch_to_l1(ahead + 2 &* laneCount) }
                if vectors > 3 { baton_prefetch_to_l1(ahead + 3 &* laneCount) }
            }
            tile.multiplyAdd(rows: rows, vectors: vectors, RowScalars(rows: rows, a, stride: leftStride), b)
            a += 1
            b += width
            remaining &-= 1
        }
        tile.forEachRow(rows) { quad, row in
            let there = accumulators + row &* accumulatorStride
            if vectors > 1 { store(quad.v0, there) }
            if vectors > 2 { store(quad.v1, there + laneCount) }
            if vectors > 3 { store(quad.v2, there + 2 &* laneCount) }
            store(vectors > 3 ? quad.v3 : vectors > 2 ? quad.v2 : vectors > 1 ? quad.v1 : quad.v0, there + last)
        }
    }
}

// One function per width: all tile shapes in one would exceed what the optimiser inlines.
@inline(never) private func extendFour(_ piece: TilePiece, _ rows: Int) {
    withConstantRows(rows) { piece.run(rows: $0, vectors: 4) }
}
@inline(never) private func extendThree(_ piece: TilePiece, _ rows: Int) {
    withConstantRows(rows) { piece.run(rows: $0, vectors: 3) }
}
@inline(never) private func extendTwo(_ piece: TilePiece, _ rows: Int) {
    withConstantRows(rows) { piece.run(rows: $0, vectors: 2) }
}
@inline(never) private func extendOne(_ piece: TilePiece, _ rows: Int) {
    withConstantRows(rows) { piece.run(rows: $0, vectors: 1) }
}
