/// max x and Σ eˣ⁻ᵐᵃˣ: the terms of a piece are added in one f32 chain per lane, the chains in f64, so that large
/// vocabularies are summed as exactly as small ones.
func softmaxTerms(
    _ x: UnsafePointer<Float>, _ count: Int, _ exponentials: UnsafeMutablePointer<Float>?
) -> (maximum: Float, sum: Double) {
    let piece = 1024
    let maximum = largest(x, count)
    let shift = splat(maximum)
    var sum = 0.0
    var start = 0
    while start < count {
        let end = start &+ smaller(piece, count &- start)
        var sums = splat(0)
        var index = start
        while index &+ laneCount <= end {
            let term = laneExp(load(x + index) - shift)
            sums += term
            if let exponentials { store(term, exponentials + index) }
            index &+= laneCount
        }
        let rest = end &- index
        if rest > 0 {
            let term = laneExp(loadPartial(x + index, rest) - shift)
            for lane in 0..<rest { sums[lane] += term[lane] }
            if let exponentials { storePartial(term, exponentials + index, rest) }
        }
        for lane in 0..<laneCount { sum += Double(sums[lane]) }
        start = end
    }
    return (maximum, sum)
}

/// −∞ of no elements; NaN are passed over.
@inline(__always) private func largest(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var largest = splat(-Float.infinity)
    var index = 0
    while index &+ laneCount <= count {
        let value = load(x + index)
        largest = largest.replacing(with: value, where: value .> largest)
        index &+= laneCount
    }
    var maximum = -Float.infinity
    for lane in 0..<laneCount where largest[lane] > maximum { maximum = largest[lane] }
    while index < count {
        if x[index] > maximum { maximum = x[index] }
        index &+= 1
    }
    return maximum
}
