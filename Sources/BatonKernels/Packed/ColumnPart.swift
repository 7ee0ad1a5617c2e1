import BatonKernelABI

/// Columns of packed panels that vectors of one width work on.
///
/// Where a matrix ends at most half a vector beyond whole ones, its end is a part of its own, for the kernels of vectors half
/// as wide: they multiply fewer of the zeros that fill up the last vector, and a processor that does a wide vector in two
/// halves needs half the time for one of them. A column is the same chain in either, so no bits change.
struct ColumnPart {
    let kernels: LaneKernels
    /// Of the matrix.
    let columns: Range<Int>
    /// Columns of the parts before this one, with those that fill up their vectors.
    let paddedBefore: Int

    var lanes: Int { kernels.table.laneCount }
    var division: PanelDivision { PanelDivision(lanes: lanes) }
    var strips: Int { division.strips(columns.count) }

    /// Space in a buffer of the caller for sums that a kernel has not completed.
    func sums(in scratch: AlignedBuffer) -> UnsafeMutablePointer<Float> {
        scratch.reserve(kernels.table.scratchCount)
    }

    /// The part's panels in a buffer that holds those of all parts, one after the other.
    func panels(
        in buffer: AlignedBuffer, depth: Int, gates: Int = 1, format: PanelFormat = .float32
    ) -> PackedPanels {
        PackedPanels(
            base: buffer.base + format.bytes(rows: depth, columns: paddedBefore * gates) / MemoryLayout<Float>.stride,
            depth: depth, stripCount: gates * strips, format: format)
    }

    /// The parts of some columns; none of none.
    ///
    /// - Parameters:
    ///   - gates: vectors that a panel holds of every strip of columns; of one it joins up to four strips.
    ///   - narrow: kernels of vectors half as wide; nil makes all columns one part.
    static func parts(
        of columns: Range<Int>, gates: Int = 1, wide: LaneKernels, narrow: LaneKernels?
    ) -> [ColumnPart] {
        let end = narrow.map { narrowEnd(columns.count, gates: gates, wide.table.laneCount, $0.table.laneCount) } ?? 0
        let border = columns.upperBound - end
        var parts: [ColumnPart] = []
        if border > columns.lowerBound {
            parts.append(ColumnPart(kernels: wide, columns: columns.lowerBound..<border, paddedBefore: 0))
        }
        if let narrow, end > 0 {
            parts.append(
                ColumnPart(
                    kernels: narrow, columns: border..<columns.upperBound, paddedBefore: border - columns.lowerBound))
        }
        return parts
    }

    /// Columns for narrow vectors: what is left over, and of single gates also the whole vector before it, since a tile of one
    /// narrow vector would wait for its own sums. Where that would make a panel more, none.
    private static func narrowEnd(_ count: Int, gates: Int, _ lanes: Int, _ narrowLanes: Int) -> Int {
        let rest = count % lanes
        if rest == 0 || rest > narrowLanes { return 0 }
        if gates > 1 || count == rest { return rest }
        let strips = PanelDivision(lanes: lanes).strips(count)
        func panels(_ strips: Int) -> Int { PanelDivision.balancedPanels(strips).count }
        return panels(strips - 2) + 1 <= panels(strips) ? rest + lanes : 0
    }

    /// Panels whose columns are rows of `matrix`: panel column of unit u, gate g is row g·units + u, depth runs along
    /// the row. With `gates` > 1 a panel holds all gates of one strip of units.
    ///
    /// - Parameters:
    ///   - matrix: element (row, k) at `row·stride + k`.
    ///   - target: `gates · strips · depth · lanes` floats.
    fileprivate func packTransposed(
        of matrix: UnsafePointer<Float>, stride: Int, gates: Int, units: Int, depth: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        let widths = gates > 1 ? Array(repeating: 1, count: strips) : PanelDivision.balancedPanels(strips)
        var panel = target
        var firstUnit = columns.lowerBound
        for width in widths {
            let panelWidth = width * gates * lanes
            // Vectors that are parts of a line: all strips in turn fill as many rows of a panel as the first-level cache
            // keeps, 16 KiB.
            let pieceDepth = lanes < 16 ? max(1, 4096 / panelWidth / lanes) * lanes : max(1, depth)
            for start in Swift.stride(from: 0, to: depth, by: pieceDepth) {
                for strip in 0..<width * gates {
                    let (gate, unit) = gates > 1 ? (strip, firstUnit) : (0, firstUnit + strip * lanes)
                    kernels.table.transposeRows(
                        StripTransposeArguments(
                            source: matrix + (gate * units + unit) * stride + start, stride: stride,
                            rows: min(lanes, columns.upperBound - unit), depth: min(pieceDepth, depth - start),
                            target: panel + start * panelWidth + strip * lanes, targetStride: panelWidth))
                }
            }
            panel += panelWidth * depth
            firstUnit += width * lanes
        }
    }

    /// Panels whose columns are the part's columns of `matrix`; depth runs over its rows. All panels take some rows before the
    /// next ones are read: a panel's part of a row is too short for the prefetchers.
    fileprivate func packAsItStands(
        of matrix: UnsafePointer<Float>, stride: Int, rows: Int, into target: UnsafeMutablePointer<Float>
    ) {
        let widths = PanelDivision.balancedPanels(strips).map { $0 * lanes }
        let together = 16
        for row in Swift.stride(from: 0, to: rows, by: together) {
            var column = 0
            for width in widths {
                kernels.table.packRows(
                    RowPackArguments(
                        source: matrix + row * stride + columns.lowerBound + column, stride: stride,
                        rows: min(together, rows - row), columns: min(width, columns.count - column), width: width,
                        target: target + column * rows + row * width))
                column += width
            }
        }
    }
}

extension [ColumnPart] {
    /// All columns, with those that fill up vectors.
    var paddedCount: Int { last.map { $0.paddedBefore + $0.strips * $0.lanes } ?? 0 }

    /// `ColumnPart.packTransposed` of the parts, one after the other.
    func packTransposed(
        of matrix: UnsafePointer<Float>, stride: Int, gates: Int, units: Int, depth: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        for part in self {
            part.packTransposed(
                of: matrix, stride: stride, gates: gates, units: units, depth: depth,
                into: target + part.paddedBefore * gates * depth)
        }
    }

    /// `ColumnPart.packAsItStands` of the parts, one after the other.
    func packAsItStands(
        of matrix: UnsafePointer<Float>, stride: Int, rows: Int, into target: UnsafeMutablePointer<Float>
    ) {
        for part in self {
            part.packAsItStands(of: matrix, stride: stride, rows: rows, into: target + part.paddedBefore * rows)
        }
    }

    /// The product with the panels of every part, its columns at theirs of the target.
    ///
    /// - Parameters:
    ///   - target: column 0 of the matrix.
    ///   - panels: of a part.
    ///   - bias: of all parts, packed as the columns are.
    ///   - scratch: of the caller, for the product.
    func matrixProduct(
        _ operand: ChainOperand, to target: UnsafeMutablePointer<Float>, stride: Int, rows: Int,
        start: MatrixProductArguments.Start, adds: Bool = false, bias: UnsafePointer<Float>? = nil,
        scratch: AlignedBuffer, panels: (ColumnPart) -> PackedPanels
    ) {
        for part in self {
            part.kernels.table.matrixProduct(
                MatrixProductArguments(
                    operand: operand, panels: panels(part),
                    target: StripTarget(
                        base: target + part.columns.lowerBound, rowStride: stride, stripStride: part.lanes),
                    rows: rows, columns: part.columns.count, start: start, adds: adds,
                    bias: bias.map { $0 + part.paddedBefore },
                    scratch: part.sums(in: scratch)))
        }
    }
}
