internal import CLanes

/// Σ x² in f64. Element i belongs to chain i mod 16 on every instruction set; the chains are added pairwise.
func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var low = SIMD8<Double>(repeating: 0)
    var high = SIMD8<Double>(repeating: 0)
    var index = 0
    while index &+ 16 <= count {
        let first = baton_widen8(x + index)
        let second = baton_widen8(x + index + 8)
        low += first * first
        high += second * second
        index &+= 16
    }
    var lane = 0
    while index < count {
        let value = Double(x[index])
        if lane < 8 { low[lane] += value * value } else { high[lane &- 8] += value * value }
        lane &+= 1
        index &+= 1
    }
    let eight = low + high
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}
