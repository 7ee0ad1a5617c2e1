import BatonKernelABI

/// Packing of row-major weights into panels (see `PackedPanels`), once per parameter update.
struct PanelPacking {
    let lanes: Int

    /// Strips that hold `columns` columns.
    func strips(_ columns: Int) -> Int { (columns + lanes - 1) / lanes }

    /// Widths in strips of balanced panels of at most four, as the matrix kernels cut them.
    static func balancedPanels(_ strips: Int) -> [Int] {
        guard strips > 0 else { return [] }
        let parts = (strips + 3) / 4
        return (0..<parts).map { $0 < strips % parts ? strips / parts + 1 : strips / parts }
    }

    /// Panels whose columns are rows of `matrix`: panel column of unit u, gate g is row g·units + u, depth runs along
    /// the row. With `gates` > 1 a panel holds all gates of one strip of units.
    ///
    /// - Parameters:
    ///   - matrix: element (row, k) at `row·stride + k`.
    ///   - part: units to pack; nil is all.
    ///   - target: `gates · strips(part) · depth · lanes` floats.
    func packRows(
        of matrix: UnsafePointer<Float>, stride: Int, gates: Int, units: Int, part: Range<Int>? = nil, depth: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        var out = target
        let units = (total: units, part: part ?? 0..<units)
        let stripCount = strips(units.part.count)
        let widths = gates > 1 ? Array(repeating: 1, count: stripCount) : Self.balancedPanels(stripCount)
        var strip = 0
        for width in widths {
            let panelWidth = width * gates * lanes
            for part in 0..<width * gates {
                let gate = gates > 1 ? part : 0
                let firstUnit = units.part.lowerBound + (gates > 1 ? strip : strip + part) * lanes
                packStrip(
                    matrix + (gate * units.total + firstUnit) * stride, stride: stride,
                    rows: min(lanes, units.part.upperBound - firstUnit),
                    depth: depth, into: out + part * lanes, targetStride: panelWidth)
            }
            out += panelWidth * depth
            strip += width
        }
    }

    /// Transposes up to `lanes` rows into one strip of a panel, in blocks that stay in the first-level cache.
    private func packStrip(
        _ source: UnsafePointer<Float>, stride: Int, rows: Int, depth: Int,
        into target: UnsafeMutablePointer<Float>, targetStride: Int
    ) {
        for lane in 0..<lanes {
            if lane < rows {
                let row = source + lane * stride
                for k in 0..<depth { target[k * targetStride + lane] = row[k] }
            } else {
                for k in 0..<depth { target[k * targetStride + lane] = 0 }
            }
        }
    }

    /// Panels whose columns are columns of `matrix`; depth runs over its rows in blocks of `blockRows` rows padded
    /// with zero rows to whole strips (the order of gate strips).
    ///
    /// - Parameter target: `strips(columns) · lanes · blocks · strips(blockRows) · lanes` floats.
    func packColumns(
        of matrix: UnsafePointer<Float>, stride: Int, columns: Int, blocks: Int, blockRows: Int, padsBlocks: Bool,
        into target: UnsafeMutablePointer<Float>
    ) {
        var out = target
        let paddedRows = padsBlocks ? strips(blockRows) * lanes : blockRows
        var firstColumn = 0
        for width in Self.balancedPanels(strips(columns)) {
            let panelWidth = width * lanes
            let valid = min(panelWidth, columns - firstColumn)
            for block in 0..<blocks {
                for row in 0..<paddedRows {
                    if row < blockRows {
                        out.update(from: matrix + (block * blockRows + row) * stride + firstColumn, count: valid)
                        if valid < panelWidth { (out + valid).update(repeating: 0, count: panelWidth - valid) }
                    } else {
                        out.update(repeating: 0, count: panelWidth)
                    }
                    out += panelWidth
                }
            }
            firstColumn += panelWidth
        }
    }
}
