import BatonKernelABI

/// Packed f32 panels in reduced precision (see `PanelFormat`).
enum PanelConversion {
    /// - Parameters:
    ///   - panels: packed panels, rows of `widths` columns one panel after the other.
    ///   - inverseScales: 1 / scale of every column, in the order of the columns; int8 only.
    ///   - target: `format.bytes(rows: format.chainLength(depth), columns: Σ widths)` bytes.
    static func convert(
        _ panels: UnsafePointer<Float>, widths: [Int], depth: Int, format: PanelFormat,
        inverseScales: UnsafePointer<Float>, into target: UnsafeMutableRawPointer
    ) {
        var source = panels
        var out = target
        var firstColumn = 0
        for width in widths {
            switch format {
            case .float32: fatalError("PanelConversion: panels in float32 are not converted")
            case .bfloat16, .bfloat16Dot: convertToBFloat16(source, width: width, depth: depth, into: out)
            case .int8, .int8Dot:
                convertToInt8(source, width: width, depth: depth, inverseScales + firstColumn, into: out)
            }
            source += depth * width
            out += format.bytes(rows: format.chainLength(depth), columns: width)
            firstColumn += width
        }
    }

    private static func convertToBFloat16(
        _ source: UnsafePointer<Float>, width: Int, depth: Int, into target: UnsafeMutableRawPointer
    ) {
        let pairs = target.assumingMemoryBound(to: UInt32.self)
        for k in stride(from: 0, to: depth, by: 2) {
            for column in 0..<width {
                let upper = bfloat16(source[k * width + column])
                // What fills a pair up is −0: its product with 0 leaves every sum as it is, −0 too.
                let lower = k + 1 < depth ? bfloat16(source[(k + 1) * width + column]) : 0x8000
                pairs[k / 2 * width + column] = upper << 16 | lower
            }
        }
    }

    /// The bits of the nearest bfloat16, ties to even; NaN stays NaN: of one weight what `roundRows` does of many inputs.
    static func bfloat16(_ value: Float) -> UInt32 {
        let bits = value.bitPattern
        if value.isNaN { return bits >> 16 | 0x40 }
        return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    }

    private static func convertToInt8(
        _ source: UnsafePointer<Float>, width: Int, depth: Int, _ inverseScales: UnsafePointer<Float>,
        into target: UnsafeMutableRawPointer
    ) {
        let fours = target.assumingMemoryBound(to: UInt32.self)
        for first in stride(from: 0, to: depth, by: 4) {
            for column in 0..<width {
                func byte(_ k: Int) -> UInt32 {
                    guard k < depth else { return 128 }
                    let scaled = (source[k * width + column] * inverseScales[column]).rounded(.toNearestOrEven)
                    // Where the row holds a value that is not finite, its scale is NaN and so will be its sums.
                    return scaled.isFinite ? UInt32(128 + max(-127, min(127, scaled))) : 128
                }
                fours[first / 4 * width + column] =
                    byte(first) | byte(first + 2) << 8 | byte(first + 1) << 16 | byte(first + 3) << 24
            }
        }
    }
}
