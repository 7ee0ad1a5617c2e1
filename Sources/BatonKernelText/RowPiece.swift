import BatonKernelABI
import CLanes

/// The chains of one row against several panels of equal width that follow one another in memory: accumulator of panel p,
/// column vector v, += Σₖ left[k]·panelₚ[k, v], k ascending.
///
/// A processor forms two products in every cycle and has the result of one four cycles later; the chains of a single panel
/// are too few to fill the time, which shows where memory is not what a row waits for: with weights of reduced precision.
struct RowPiece {
    /// Element k at `left[k]`; of `int8` a piece of `QuantizedRow`.
    var left: UnsafePointer<Float>
    var depth: Int
    /// The first row of the first panel.
    var panel: UnsafeRawPointer
    let panelBytes: Int
    let format: PanelFormat
    /// As in `TilePiece`, with panels in the place of rows.
    let accumulators: UnsafeMutablePointer<Float>
    let accumulatorStride: Int
    let last: Int

    /// Panels to work on at once, for a row that is alone.
    @inline(__always) static func panels(vectors: Int) -> Int { vectors == 3 ? 3 : 2 }

    /// - Parameters:
    ///   - panels: 2...`panels(vectors:)`.
    ///   - vectors: 1...4.
    @inline(__always) func extend(panels: Int, vectors: Int) {
        switch format {
        case .float32: PanelTile<Float32Panel>(piece: self).run(panels: panels, vectors: vectors)
        case .bfloat16Dot where canHaveDotProducts:
            PanelTile<BFloat16DotPanel>(piece: self).run(panels: panels, vectors: vectors)
        case .bfloat16, .bfloat16Dot: PanelTile<BFloat16Panel>(piece: self).run(panels: panels, vectors: vectors)
        case .int8Dot where canHaveDotProducts:
            PanelTile<Int8DotPanel>(piece: self).run(panels: panels, vectors: vectors)
        case .int8, .int8Dot: PanelTile<Int8Panel>(piece: self).run(panels: panels, vectors: vectors)
        }
    }

    /// All are constants.
    @inline(__always) fileprivate func extend(panels: Int, vectors: Int, format: PanelFormat) {
        var tile =
            format.isInteger
            ? Tile(rows: panels, vectors: vectors, splatting: left + 1, stride: 0)
            : Tile(rows: panels, vectors: vectors, loading: accumulators, stride: accumulatorStride, last: last)
        let together = format.rowsTogether
        let rowBytes = vectors &* format.bytes(rows: together, columns: laneCount)
        var a = left + format.headWords
        var b = panel
        var remaining = depth
        while remaining >= chainUnroll {
            if fetchesLonePanels {
                for number in 0..<panels {
                    fetchRows(
                        b + number &* panelBytes + 16 &* rowBytes, rowBytes: rowBytes, count: chainUnroll / together,
                        partly: false)
                }
            }
            for group in 0..<chainUnroll / together {
                add(a + group &* together, b + group &* rowBytes, &tile, panels, vectors, format, both: together == 2)
            }
            a += chainUnroll
            b += chainUnroll / together &* rowBytes
            remaining &-= chainUnroll
        }
        while chainUnroll > together && remaining >= together {
            add(a, b, &tile, panels, vectors, format, both: together == 2)
            a += together
            b += rowBytes
            remaining &-= together
        }
        if together == 2, remaining == 1 { add(a, b, &tile, panels, vectors, format, both: false) }
        if format.isInteger {
            tile.makeSums(
                rows: panels, vectors: vectors, scales: left, stride: 0, accumulators, stride: accumulatorStride,
                last: last)
        }
        tile.keep(rows: panels, vectors: vectors, to: accumulators, stride: accumulatorStride, last: last)
    }

    /// The element, or with `both` the two elements, that meet one row of the panels, or two side by side.
    @_transparent private func add(
        _ elements: UnsafePointer<Float>, _ columns: UnsafeRawPointer, _ tile: inout Tile, _ panels: Int,
        _ vectors: Int, _ format: PanelFormat, both: Bool
    ) {
        let (first, second) = (splat(elements[0]), both ? splat(elements[1]) : Lane())
        tile.r0.multiplyAdd(vectors, first, second, columns, format, both: both)
        tile.r1.multiplyAdd(vectors, first, second, columns + panelBytes, format, both: both)
        if panels > 2 { tile.r2.multiplyAdd(vectors, first, second, columns + 2 &* panelBytes, format, both: both) }
    }
}

extension Quad {
    /// vector v += first · `columns`' vector v and, with `both`, += second · that of the row beside it. One vector after the
    /// other: with all of a row at once in registers some of the accumulators would not be.
    @_transparent fileprivate mutating func multiplyAdd(
        _ vectors: Int, _ first: Lane, _ second: Lane, _ columns: UnsafeRawPointer, _ format: PanelFormat, both: Bool
    ) {
        v0 = added(first, loadColumn(columns, 0, format, 0, sharesLoad: true), to: v0, format)
        if both { v0 = added(second, loadColumn(columns, 0, format, 1, sharesLoad: true), to: v0, format) }
        if vectors > 1 {
            v1 = added(first, loadColumn(columns, 1, format, 0, sharesLoad: true), to: v1, format)
            if both { v1 = added(second, loadColumn(columns, 1, format, 1, sharesLoad: true), to: v1, format) }
        }
        if vectors > 2 {
            v2 = added(first, loadColumn(columns, 2, format, 0, sharesLoad: true), to: v2, format)
            if both { v2 = added(second, loadColumn(columns, 2, format, 1, sharesLoad: true), to: v2, format) }
        }
        if vectors > 3 {
            v3 = added(first, loadColumn(columns, 3, format, 0, sharesLoad: true), to: v3, format)
            if both { v3 = added(second, loadColumn(columns, 3, format, 1, sharesLoad: true), to: v3, format) }
        }
    }
}

private struct PanelTile<Format: OneFormat>: TileWork {
    let piece: RowPiece

    @inline(__always) func run(rows panels: Int, vectors: Int) {
        piece.extend(panels: panels, vectors: vectors, format: Format.format)
    }

    @inline(__always) func run(panels: Int, vectors: Int) {
        switch (panels, vectors) {
        case (2, 4): TileShape<2, 4>.run(self)
        case (3, 3): TileShape<3, 3>.run(self)
        case (2, 3): TileShape<2, 3>.run(self)
        case (2, 2): TileShape<2, 2>.run(self)
        default: TileShape<2, 1>.run(self)
        }
    }
}
