internal import BatonKernelABI

/// One Philox block per lane. Source: Salmon et al. 2011, doi:10.1145/2063384.2063405.
private struct PhiloxLanes {
    var c0: LaneUnsigned
    var c1: LaneUnsigned
    var c2: LaneUnsigned
    var c3: LaneUnsigned

    @inline(__always) mutating func run(_ key: SIMD2<UInt32>) {
        var (k0, k1) = (key[0], key[1])
        for _ in 0..<10 {
            let first = multiplyWide(c0, 0xD251_1F53)
            let second = multiplyWide(c2, 0xCD9E_8D57)
            c0 = second.high ^ c1 ^ LaneUnsigned(repeating: k0)
            c2 = first.high ^ c3 ^ LaneUnsigned(repeating: k1)
            c1 = second.low
            c3 = first.low
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
    }
}

/// High and low halves of the 64-bit products: even and odd lanes are multiplied apart, as the hardware does.
@inline(__always) private func multiplyWide(
    _ x: LaneUnsigned, _ factor: UInt32
) -> (high: LaneUnsigned, low: LaneUnsigned) {
    let lowHalf = LaneWide(repeating: 0xFFFF_FFFF)
    let shift = LaneWide(repeating: 32)
    let wideFactor = LaneWide(repeating: UInt64(factor))
    let pairs = unsafeBitCast(x, to: LaneWide.self)
    let even = (pairs & lowHalf) &* wideFactor
    let odd = (pairs &>> shift) &* wideFactor
    let high = (even &>> shift) | (odd & ~lowHalf)
    let low = (even & lowHalf) | (odd &<< shift)
    return (unsafeBitCast(high, to: LaneUnsigned.self), unsafeBitCast(low, to: LaneUnsigned.self))
}

/// 0, 1, 2, … in the lanes.
@inline(__always) private func laneNumbers() -> LaneUnsigned {
    var numbers = LaneUnsigned()
    for lane in 0..<laneCount { numbers[lane] = UInt32(truncatingIfNeeded: lane) }
    return numbers
}

/// y = x ⊙ mask · scale, see `DropoutMask`.
func dropout(
    _ mask: DropoutMask, _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ adds: Bool
) {
    let outer = mask.rowsFirst ? mask.rows : mask.times
    let inner = mask.rowsFirst ? mask.times : mask.rows
    let numbers = laneNumbers()
    var base = 0
    for outerIndex in 0..<outer {
        for innerIndex in 0..<inner {
            let time = mask.rowsFirst ? innerIndex : outerIndex
            let row = mask.rowsFirst ? outerIndex : innerIndex
            dropRow(
                mask, mask.firstTime &+ UInt32(truncatingIfNeeded: time),
                mask.firstRow &+ UInt32(truncatingIfNeeded: row), numbers, x + base, out + base, adds)
            base &+= mask.width
        }
    }
}

@inline(__always) private func dropRow(
    _ mask: DropoutMask, _ time: UInt32, _ row: UInt32, _ numbers: LaneUnsigned, _ x: UnsafePointer<Float>,
    _ out: UnsafeMutablePointer<Float>, _ adds: Bool
) {
    let threshold = LaneUnsigned(repeating: mask.threshold)
    let scale = splat(Float(mask.scale))
    let half = LaneUnsigned(repeating: 16)
    var group = 0
    while group < mask.width {
        var sub = 0
        while sub < 16 {
            let first = group / 8 &+ sub
            var words = PhiloxLanes(
                c0: numbers &+ LaneUnsigned(repeating: UInt32(truncatingIfNeeded: first)),
                c1: LaneUnsigned(repeating: time), c2: LaneUnsigned(repeating: row),
                c3: LaneUnsigned(repeating: mask.step))
            words.run(mask.key)
            let start = group &+ sub
            // Low halves, moved up to be compared like the high ones.
            keep(words.c0 &<< half, threshold, scale, start, mask.width, x, out, adds)
            keep(words.c1 &<< half, threshold, scale, start &+ 16, mask.width, x, out, adds)
            keep(words.c2 &<< half, threshold, scale, start &+ 32, mask.width, x, out, adds)
            keep(words.c3 &<< half, threshold, scale, start &+ 48, mask.width, x, out, adds)
            keep(words.c0, threshold, scale, start &+ 64, mask.width, x, out, adds)
            keep(words.c1, threshold, scale, start &+ 80, mask.width, x, out, adds)
            keep(words.c2, threshold, scale, start &+ 96, mask.width, x, out, adds)
            keep(words.c3, threshold, scale, start &+ 112, mask.width, x, out, adds)
            sub &+= laneCount
        }
        group &+= 128
    }
}

@inline(__always) private func keep(
    _ words: LaneUnsigned, _ threshold: LaneUnsigned, _ scale: Lane, _ start: Int, _ width: Int,
    _ x: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ adds: Bool
) {
    let rest = width &- start
    if rest <= 0 { return }
    let whole = rest >= laneCount
    let value = (whole ? load(x + start) : loadPartial(x + start, rest)) * scale
    var result = value.replacing(with: splat(0), where: words .< threshold)
    if adds { result += whole ? load(out + start) : loadPartial(out + start, rest) }
    if whole { store(result, out + start) } else { storePartial(result, out + start, rest) }
}
