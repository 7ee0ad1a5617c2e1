import BatonKernelABI
import CLanes

/// Packing of row-major weights into panels (see `PackedPanels`), once per parameter update.
struct PanelPacking {
    let lanes: Int

    /// Strips that hold `columns` columns.
    func strips(_ columns: Int) -> Int { (columns + lanes - 1) / lanes }

    /// Widths in strips of balanced panels, as the matrix kernels cut them.
    static func balancedPanels(_ strips: Int) -> [Int] {
        let panels = BalancedParts(strips, limit: PackedPanels.stripLimit)
        return (0..<panels.parts).map(panels.size)
    }

    /// Panels whose columns are rows of `matrix`: panel column of unit u, gate g is row g·units + u, depth runs along
    /// the row. With `gates` > 1 a panel holds all gates of one strip of units.
    ///
    /// - Parameters:
    ///   - matrix: element (row, k) at `row·stride + k`.
    ///   - part: units to pack.
    ///   - target: `gates · strips(part) · depth · lanes` floats.
    func packRows(
        of matrix: UnsafePointer<Float>, stride: Int, gates: Int, units: Int, part: Range<Int>, depth: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        var out = target
        let stripCount = strips(part.count)
        let widths = gates > 1 ? Array(repeating: 1, count: stripCount) : Self.balancedPanels(stripCount)
        var strip = 0
        for width in widths {
            let panelWidth = width * gates * lanes
            // All strips in turn fill as many rows of a panel as the first-level cache keeps, 16 KiB.
            let pieceDepth = max(4, 4096 / panelWidth & ~3)
            var start = 0
            while start < depth {
                let piece = min(pieceDepth, depth - start)
                for column in 0..<width * gates {
                    let gate = gates > 1 ? column : 0
                    let firstUnit = part.lowerBound + (gates > 1 ? strip : strip + column) * lanes
                    packStrip(
                        matrix + (gate * units + firstUnit) * stride + start, stride: stride,
                        rows: min(lanes, part.upperBound - firstUnit), depth: piece,
                        into: out + start * panelWidth + column * lanes, targetStride: panelWidth)
                }
                start += piece
            }
            out += panelWidth * depth
            strip += width
        }
    }

    /// Transposes up to `lanes` rows into one strip of a panel; the lanes of the others become zero.
    private func packStrip(
        _ source: UnsafePointer<Float>, stride: Int, rows: Int, depth: Int,
        into target: UnsafeMutablePointer<Float>, targetStride: Int
    ) {
        let (squareRows, squareDepth) = (rows & ~3, depth & ~3)
        var row = 0
        while row < squareRows {
            var k = 0
            while k < squareDepth {
                if k & 15 == 0 {
                    // Of the same rows what the next piece takes: too little at a time for the prefetchers of the hardware.
                    let ahead = source + (row &* stride &+ depth &+ k)
                    for next in 0..<4 { baton_prefetch_to_l2(ahead + next &* stride) }
                }
                Self.transposeSquare(
                    source + (row &* stride &+ k), stride: stride, into: target + (k &* targetStride &+ row),
                    targetStride: targetStride)
                k &+= 4
            }
            row &+= 4
        }
        for lane in 0..<lanes {
            let row = source + lane &* stride
            for k in (lane < squareRows ? squareDepth : 0)..<depth {
                target[k &* targetStride &+ lane] = lane < rows ? row[k] : 0
            }
        }
    }

    /// Four rows of four elements become four columns.
    @inline(__always) private static func transposeSquare(
        _ source: UnsafePointer<Float>, stride: Int, into target: UnsafeMutablePointer<Float>, targetStride: Int
    ) {
        typealias Row = SIMD4<Float>
        func row(_ index: Int) -> Row { UnsafeRawPointer(source + index &* stride).loadUnaligned(as: Row.self) }
        func store(_ column: Row, _ index: Int) {
            UnsafeMutableRawPointer(target + index &* targetStride).storeBytes(of: column, as: Row.self)
        }
        let (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3))
        store(Row(r0.x, r1.x, r2.x, r3.x), 0)
        store(Row(r0.y, r1.y, r2.y, r3.y), 1)
        store(Row(r0.z, r1.z, r2.z, r3.z), 2)
        store(Row(r0.w, r1.w, r2.w, r3.w), 3)
    }
}
