import BatonKernelABI
import CLanes

/// A piece of the chains of some tiles of equal height, one below the other: every accumulator, row r and column vector v,
/// += Σₖ left[r, k]·panel[k, v], k ascending.
///
/// Accumulators come from memory and go back there, which does not change their bits: so one unrolled loop per tile
/// shape serves all products and cells.
struct TilePiece {
    /// Element k of row r at `left[r·leftStride + k]`; of `int8` a piece of `QuantizedRow` for every row.
    var left: UnsafePointer<Float>
    let leftStride: Int
    var depth: Int
    /// The first row of the column vectors.
    var panel: UnsafeRawPointer
    let format: PanelFormat
    /// The accumulators of row r begin at `accumulators + r·accumulatorStride`; the last vector stands at `last`.
    var accumulators: UnsafeMutablePointer<Float>
    let accumulatorStride: Int
    var last: Int
    /// Fetch the panel ahead of its use: worth it only for a panel that a single tile reads. Where several tiles
    /// follow, the processor's own prefetching is as good, and the instructions cost more than they bring.
    let fetchesAhead: Bool
    var upcoming: UpcomingPanel

    /// Extends the chains of `tiles`, the taller ones first.
    ///
    /// Transparent, so that nothing copies a piece in memory: a vector load of fields that were just stored one by one waits
    /// until all stores before it are done, those of the tile before too.
    ///
    /// - Parameter vectors: 1...4.
    @_transparent func extend(_ tiles: BalancedParts, vectors: Int) {
        var rest = self
        if tiles.largerParts > 0 {
            extend(rows: tiles.smaller &+ 1, tiles: tiles.largerParts, vectors: vectors)
            let rows = tiles.largerParts &* (tiles.smaller &+ 1)
            rest.left += rows &* leftStride
            rest.accumulators += rows &* accumulatorStride
            rest.upcoming = upcoming.dropping(tiles.largerParts, depth: depth)
        }
        rest.extend(rows: tiles.smaller, tiles: tiles.parts &- tiles.largerParts, vectors: vectors)
    }

    /// Extends the chains of one tile of four rows, in two halves of two vectors each.
    ///
    /// With few registers, four rows of four vectors would else be two tiles, the first of which waits for the panel while
    /// it is fetched and the second of which fetches nothing.
    @inline(__always) func extendHalves() {
        extendHalf()
        var second = self
        second.panel += format.bytes(rows: format.rowsTogether, columns: 2 &* laneCount)
        second.accumulators += 2 &* laneCount
        second.extendHalf()
    }

    @inline(__always) private func extendHalf() {
        var half = self
        half.last = laneCount
        switch format {
        case .float32: TileShape<4, 2>.run(HalfTile<Float32Panel>(piece: half))
        case .bfloat16, .bfloat16Dot: TileShape<4, 2>.run(HalfTile<BFloat16Panel>(piece: half))
        case .int8, .int8Dot: TileShape<4, 2>.run(HalfTile<Int8Panel>(piece: half))
        }
    }

    @_transparent private func extend(rows: Int, tiles: Int, vectors: Int) {
        switch format {
        case .float32: Tiles<Float32Panel>(piece: self, count: tiles).run(shape: rows, vectors)
        case .bfloat16Dot where canHaveDotProducts:
            Tiles<BFloat16DotPanel>(piece: self, count: tiles).run(shape: rows, vectors)
        case .bfloat16, .bfloat16Dot: Tiles<BFloat16Panel>(piece: self, count: tiles).run(shape: rows, vectors)
        case .int8Dot where canHaveDotProducts:
            Tiles<Int8DotPanel>(piece: self, count: tiles).run(shape: rows, vectors)
        case .int8, .int8Dot: Tiles<Int8Panel>(piece: self, count: tiles).run(shape: rows, vectors)
        }
    }

    /// All but the number of tiles are constants.
    ///
    /// - Parameter width: vectors in a row of the panel.
    @inline(__always) func extend(tiles: Int, rows: Int, vectors: Int, width: Int, format: PanelFormat) {
        var left = left
        var accumulators = accumulators
        var upcoming = upcoming
        for _ in 0..<tiles {
            extendTile(
                left, accumulators, upcoming.takeTile(depth: depth), rows: rows, vectors: vectors, width: width,
                format: format)
            left += rows &* leftStride
            accumulators += rows &* accumulatorStride
        }
    }

    @inline(__always) private func extendTile(
        _ left: UnsafePointer<Float>, _ accumulators: UnsafeMutablePointer<Float>, _ upcoming: UpcomingLines,
        rows: Int, vectors: Int, width: Int, format: PanelFormat
    ) {
        var tile =
            format.isInteger
            ? Tile(rows: rows, vectors: vectors, splatting: left + 1, stride: leftStride)
            : Tile(rows: rows, vectors: vectors, loading: accumulators, stride: accumulatorStride, last: last)
        let together = format.rowsTogether
        let rowBytes = width &* format.bytes(rows: together, columns: laneCount)
        var a = left + format.headWords
        var b = panel
        var remaining = depth
        var upcoming = upcoming
        // A loop for each, since a question in it would hide its end from the processor. Not of weights that are widened: of
        // several such loops, the optimiser keeps no tile in the sixteen registers of AVX2.
        if together > 1 {
            while remaining >= chainUnroll {
                if fetchesAhead {
                    fetchAhead(b, vectors: vectors, width: width, format: format)
                } else if upcoming.isFetched {
                    upcoming.fetch()
                }
                tile.addRun(
                    &a, stride: leftStride, &b, &remaining, rows: rows, vectors: vectors, width: width, format: format)
            }
        } else if fetchesAhead {
            while remaining >= chainUnroll {
                fetchAhead(b, vectors: vectors, width: width, format: format)
                tile.addRun(
                    &a, stride: leftStride, &b, &remaining, rows: rows, vectors: vectors, width: width, format: format)
            }
        } else if upcoming.isFetched {
            while remaining >= chainUnroll {
                upcoming.fetch()
                tile.addRun(
                    &a, stride: leftStride, &b, &remaining, rows: rows, vectors: vectors, width: width, format: format)
            }
        } else {
            while remaining >= chainUnroll {
                tile.addRun(
                    &a, stride: leftStride, &b, &remaining, rows: rows, vectors: vectors, width: width, format: format)
            }
        }
        while chainUnroll > together && remaining >= together {
            tile.multiplyAdd(rows: rows, vectors: vectors, a, stride: leftStride, b, format: format, part: 0)
            if together == 2 {
                tile.multiplyAdd(rows: rows, vectors: vectors, a + 1, stride: leftStride, b, format: format, part: 1)
            }
            a += together
            b += rowBytes
            remaining &-= together
        }
        if together == 2, remaining == 1 {
            tile.multiplyAdd(rows: rows, vectors: vectors, a, stride: leftStride, b, format: format, part: 0)
        }
        if format.isInteger {
            tile.makeSums(
                rows: rows, vectors: vectors, scales: left, stride: leftStride, accumulators,
                stride: accumulatorStride, last: last)
        }
        tile.keep(rows: rows, vectors: vectors, to: accumulators, stride: accumulatorStride, last: last)
    }
}

/// Fetches the rows of a panel that are met sixteen groups of rows later.
@_transparent private func fetchAhead(_ columns: UnsafeRawPointer, vectors: Int, width: Int, format: PanelFormat) {
    let together = format.rowsTogether
    let rowBytes = width &* format.bytes(rows: together, columns: laneCount)
    fetchRows(columns + 16 &* rowBytes, rowBytes: rowBytes, count: chainUnroll / together, partly: vectors < width)
}

extension Tile {
    /// `chainUnroll` elements of all chains, and steps beyond them.
    @_transparent fileprivate mutating func addRun(
        _ left: inout UnsafePointer<Float>, stride: Int, _ columns: inout UnsafeRawPointer, _ remaining: inout Int,
        rows: Int, vectors: Int, width: Int, format: PanelFormat
    ) {
        multiplyAddRun(
            left, stride: stride, step: 1, columns, rows: rows, vectors: vectors, width: width, format: format)
        left += chainUnroll
        let together = format.rowsTogether
        columns += chainUnroll / together &* width &* format.bytes(rows: together, columns: laneCount)
        remaining &-= chainUnroll
    }
}

/// Fetches `count` rows of a panel, whole or of each the first line.
@_transparent func fetchRows(_ start: UnsafeRawPointer, rowBytes: Int, count: Int, partly: Bool) {
    let step = partly && rowBytes > 64 ? rowBytes : 64
    var offset = 0
    while offset < count &* rowBytes {
        baton_prefetch_to_l1(start + offset)
        offset &+= step
    }
}

private struct Tiles<Format: OneFormat>: TileWork {
    let piece: TilePiece
    let count: Int

    @inline(__always) func run(rows: Int, vectors: Int) {
        piece.extend(tiles: count, rows: rows, vectors: vectors, width: vectors, format: Format.format)
    }
}

/// One tile of half of a panel's vectors.
private struct HalfTile<Format: OneFormat>: TileWork {
    let piece: TilePiece

    @inline(__always) func run(rows: Int, vectors: Int) {
        piece.extend(tiles: 1, rows: rows, vectors: vectors, width: 2 &* vectors, format: Format.format)
    }
}
