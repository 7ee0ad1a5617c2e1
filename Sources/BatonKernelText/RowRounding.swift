import BatonKernelABI
import CLanes

/// Rows of floats, every one rounded to the nearest bfloat16.
func roundRows(_ arguments: RowConversionArguments) {
    forEachRoundedVector(arguments) { rounded, target, index in store(rounded, target + index) }
}

/// The same two to a word, the first of each in the upper half; zero fills the last word up.
func roundRowPairs(_ arguments: RowConversionArguments) {
    forEachRoundedVector(arguments) { rounded, target, index in storeUpperHalfPairs(rounded, target + index / 2) }
}

/// Calls `body` with the rounded elements of every row from `index` on, a vector at a time, and where the row goes.
@inline(__always) private func forEachRoundedVector(
    _ arguments: RowConversionArguments,
    _ body: (_ rounded: Lane, _ target: UnsafeMutablePointer<Float>, _ index: Int) -> Void
) {
    let depth = arguments.source.depth
    for row in 0..<arguments.rows {
        let source = arguments.source.base + row &* arguments.source.rowStride
        let target = arguments.target + row &* arguments.targetStride
        var index = 0
        while index < depth {
            body(roundedToBFloat16(loadPartial(source + index, depth &- index)), target, index)
            index &+= laneCount
        }
    }
}

/// The nearest floats with eight bits of significand, ties to even; NaN stays NaN.
@inline(__always) private func roundedToBFloat16(_ x: Lane) -> Lane {
    let bits = unsafeBitCast(x, to: LaneUnsigned.self)
    let half = LaneUnsigned(repeating: 0x7FFF) &+ (bits &>> LaneUnsigned(repeating: 16) & LaneUnsigned(repeating: 1))
    let rounded = (bits &+ half).replacing(with: bits | LaneUnsigned(repeating: 0x0040_0000), where: x .!= x)
    return upperHalves(unsafeBitCast(rounded, to: Lane.self))
}
