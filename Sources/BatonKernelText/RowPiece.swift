import BatonKernelABI
import CLanes

/// The chains of one row against several panels of equal width that follow one another in memory: accumulator of panel p,
/// column vector v, += Σₖ left[k]·panelₚ[k, v], k ascending.
///
/// A processor forms two products in every cycle and has the result of one four cycles later; the chains of a single panel
/// are too few to fill the time, which shows where memory is not what a row waits for: with weights of reduced precision.
struct RowPiece {
    /// Element k at `left[k]`.
    let left: UnsafePointer<Float>
    let depth: Int
    /// The first row of the first panel.
    let panel: UnsafeRawPointer
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
        case .bfloat16: PanelTile<BFloat16Panel>(piece: self).run(panels: panels, vectors: vectors)
        case .int8: PanelTile<Int8Panel>(piece: self).run(panels: panels, vectors: vectors)
        }
    }

    /// All are constants.
    @inline(__always) fileprivate func extend(panels: Int, vectors: Int, format: PanelFormat) {
        var tile = Tile(
            rows: panels, vectors: vectors, loading: accumulators, stride: accumulatorStride, last: last)
        let together = format.rowsTogether
        let rowBytes = vectors &* format.bytes(rows: together, columns: laneCount)
        var a = left
        var b = panel
        var remaining = depth
        while remaining >= chainUnroll {
            for number in 0..<panels {
                fetchRows(
                    b + number &* panelBytes + 16 &* rowBytes, rowBytes: rowBytes, count: chainUnroll / together,
                    partly: false)
            }
            for part in 0..<chainUnroll {
                add(a[part], b + part / together &* rowBytes, &tile, panels, vectors, format, part % together)
            }
            a += chainUnroll
            b += chainUnroll / together &* rowBytes
            remaining &-= chainUnroll
        }
        while chainUnroll > together && remaining >= together {
            add(a[0], b, &tile, panels, vectors, format, 0)
            if together == 2 { add(a[1], b, &tile, panels, vectors, format, 1) }
            a += together
            b += rowBytes
            remaining &-= together
        }
        if together == 2, remaining == 1 { add(a[0], b, &tile, panels, vectors, format, 0) }
        tile.keep(rows: panels, vectors: vectors, to: accumulators, stride: accumulatorStride, last: last)
    }

    @_transparent private func add(
        _ element: Float, _ columns: UnsafeRawPointer, _ tile: inout Tile, _ panels: Int, _ vectors: Int,
        _ format: PanelFormat, _ part: Int
    ) {
        let scalar = splat(element)
        tile.r0.multiplyAdd(vectors, scalar, Quad(vectors: vectors, columns: columns, format: format, part: part))
        let second = columns + panelBytes
        tile.r1.multiplyAdd(vectors, scalar, Quad(vectors: vectors, columns: second, format: format, part: part))
        if panels > 2 {
            let third = second + panelBytes
            tile.r2.multiplyAdd(vectors, scalar, Quad(vectors: vectors, columns: third, format: format, part: part))
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
