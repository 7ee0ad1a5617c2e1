/// The nearest float whose significand has eight bits, ties to even, by comparing what is cut off with half of its unit.
public func nearestBFloat16(_ value: Float) -> Float {
    guard value.isFinite else { return value }
    let (kept, cutOff) = (value.bitPattern >> 16, value.bitPattern & 0xFFFF)
    let isUp = cutOff > 0x8000 || (cutOff == 0x8000 && kept & 1 == 1)
    return Float(bitPattern: (isUp ? kept + 1 : kept) << 16)
}
