import BatonKernelABI
import CLanes

/// What a tile fetches while it adds: a part of the panel that is worked on next.
///
/// Short tiles fetch it into the first-level cache, which holds two pieces of a panel: the first tile of a piece would
/// else wait for the second level in every row, and where the weights exceed that, for the third. The pieces of tall tiles
/// only fit the second level.
struct UpcomingPanel {
    /// Where the tile begins.
    var start: UnsafeRawPointer
    /// Lines to fetch with every `chainUnroll` elements, 1 to 3.
    var lines: Int

    /// The part of one tile of several; nil if the tiles before fetch all, or the tiles are too few, which it would slow.
    ///
    /// - Parameters:
    ///   - panel: what is worked on next.
    ///   - width: floats in a row of it.
    ///   - depth: elements that each of the tiles adds.
    @inline(__always) init?(_ panel: UnsafeRawPointer, width: Int, depth: Int, tile: Int, of tiles: Int) {
        guard tiles >= 3 else { return nil }
        let needed = (chainUnroll &* width &+ 15) / 16
        let sharing = smaller(tiles, tileRows > 3 ? 4 : 8)
        lines = sharing >= needed ? 1 : sharing &* 2 >= needed ? 2 : 3
        guard tile &* lines < needed else { return nil }
        start = panel + tile &* lines &* (depth / chainUnroll) &* 64
    }

    /// Fetches the next lines.
    @_transparent mutating func fetch() {
        fetchLine(start)
        if lines > 1 { fetchLine(start + 64) }
        if lines > 2 { fetchLine(start + 128) }
        start += lines &* 64
    }

    @_transparent private func fetchLine(_ line: UnsafeRawPointer) {
        if tileRows > 3 { baton_prefetch_to_l2(line) } else { baton_prefetch_to_l1(line) }
    }
}

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
    /// The first row of the column vectors.
    let panel: UnsafeRawPointer
    let format: PanelFormat
    /// The accumulators of row r begin at `accumulators + r·accumulatorStride`; the last vector stands at `last`.
    let accumulators: UnsafeMutablePointer<Float>
    let accumulatorStride: Int
    let last: Int
    /// Fetch the panel ahead of its use: worth it only for a panel that a single tile reads. Where several tiles
    /// follow, the processor's own prefetching is as good, and the instructions cost more than they bring.
    let prefetches: Bool
    let upcoming: UpcomingPanel?

    /// - Parameters:
    ///   - rows: 1...`tileRows`.
    ///   - vectors: 1...4.
    @inline(__always) func extend(rows: Int, vectors: Int) {
        switch format {
        case .float32: extendFloat32(self, rows, vectors)
        case .bfloat16: extendBFloat16(self, rows, vectors)
        case .int8: extendInt8(self, rows, vectors)
        }
    }

    /// All three are constants (see TileShapes).
    @inline(__always) func run(rows: Int, vectors: Int, format: PanelFormat) {
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
        let together = format.rowsTogether
        let rowBytes = vectors &* format.bytes(rows: together, columns: laneCount)
        var a = left
        var b = panel
        var remaining = depth
        if !prefetches {
            var upcoming = upcoming
            while remaining >= chainUnroll {
                upcoming?.fetch()
                tile.multiplyAddRun(a, stride: leftStride, step: 1, b, rows: rows, vectors: vectors, format: format)
                a += chainUnroll
                b += chainUnroll / together &* rowBytes
                remaining &-= chainUnroll
            }
        }
        while remaining >= together {
            if prefetches {
                let ahead = b + 16 &* rowBytes
                baton_prefetch_to_l1(ahead)
                if rowBytes > 64 { baton_prefetch_to_l1(ahead + 64) }
                if rowBytes > 128 { baton_prefetch_to_l1(ahead + 128) }
                if rowBytes > 192 { baton_prefetch_to_l1(ahead + 192) }
            }
            tile.multiplyAdd(
                rows: rows, vectors: vectors, RowScalars(rows: rows, a, stride: leftStride), b, format: format)
            if together == 2 {
                tile.multiplyAdd(
                    rows: rows, vectors: vectors, RowScalars(rows: rows, a + 1, stride: leftStride), b, format: format,
                    part: 1)
            }
            a += together
            b += rowBytes
            remaining &-= together
        }
        if together == 2, remaining == 1 {
            tile.multiplyAdd(
                rows: rows, vectors: vectors, RowScalars(rows: rows, a, stride: leftStride), b, format: format)
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
