import BatonKernelABI
import CLanes

/// Rows of floats as integers of 16 bits (see `QuantizedRow`).
func quantizeRows(_ arguments: RowConversionArguments) {
    quantizeRows(arguments, .int8) { integers, target in storeLowHalves(integers, target) }
}

/// Rows of floats as bytes.
func quantizeRowBytes(_ arguments: RowConversionArguments) {
    quantizeRows(arguments, .int8Dot) { integers, target in storeLowBytes(integers, target) }
}

/// `store` writes a vector of integers to as many words as they take in the format.
@inline(__always) private func quantizeRows(
    _ arguments: RowConversionArguments, _ format: PanelFormat,
    store: (_ integers: Lane, _ target: UnsafeMutablePointer<Float>) -> Void
) {
    for row in 0..<arguments.rows {
        quantizeRow(
            arguments.source.base + row &* arguments.source.rowStride, depth: arguments.source.depth,
            into: arguments.target + row &* arguments.targetStride, format, store: store)
    }
}

@inline(__always) private func quantizeRow(
    _ source: UnsafePointer<Float>, depth: Int, into target: UnsafeMutablePointer<Float>, _ format: PanelFormat,
    store: (_ integers: Lane, _ target: UnsafeMutablePointer<Float>) -> Void
) {
    let (scale, inverse) = scaleAndInverse(source, depth: depth)
    // Adding 1.5·2²³ rounds to an integer and leaves it in the low mantissa bits.
    let magic = splat(12_582_912)
    let magicBits = unsafeBitCast(magic, to: LaneInteger.self)
    var target = target
    var start = 0
    while start < depth {
        let end = start &+ smaller(QuantizedRow.pieceTerms, depth &- start)
        var sums = LaneInteger()
        var integers = target + QuantizedRow.headWords
        var index = start
        while index < end {
            let shifted = mulAdd(loadPartial(source + index, end &- index), splat(inverse), magic)
            store(shifted, integers)
            sums &+= unsafeBitCast(shifted, to: LaneInteger.self) &- magicBits
            integers += format.chainLength(laneCount)
            index &+= laneCount
        }
        var sum: Int32 = 0
        for lane in 0..<laneCount { sum &+= sums[lane] }
        target[0] = scale
        target[1] = Float(bitPattern: UInt32(bitPattern: sum &* -128))
        target += QuantizedRow.headWords &+ format.pieceLength
        start = end
    }
}

/// s and 1/s.
@inline(__always) private func scaleAndInverse(
    _ source: UnsafePointer<Float>, depth: Int
) -> (scale: Float, inverse: Float) {
    // Of values without signs the bits are ordered as they are, infinity and NaN above all.
    var most = LaneUnsigned()
    var index = 0
    while index < depth {
        let bits = unsafeBitCast(loadPartial(source + index, depth &- index), to: LaneUnsigned.self)
        let magnitudes = bits & LaneUnsigned(repeating: 0x7FFF_FFFF)
        most = most.replacing(with: magnitudes, where: magnitudes .> most)
        index &+= laneCount
    }
    var greatest: UInt32 = 0
    for lane in 0..<laneCount where most[lane] > greatest { greatest = most[lane] }
    if greatest >= Float.infinity.bitPattern { return (.nan, 0) }
    let magnitude = Float(bitPattern: greatest)
    // The inverse of so small a value would be infinite.
    return magnitude < QuantizedRow.least ? (0, 0) : (magnitude / 127, 127 / magnitude)
}
