/// max x and Σ eˣ⁻ᵐᵃˣ: the terms are added in one f32 chain per lane, the lanes in f64.
func softmaxTerms(
    _ x: UnsafePointer<Float>, _ count: Int, _ exponentials: UnsafeMutablePointer<Float>?
) -> (maximum: Float, sum: Double) {
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
    let shift = splat(maximum)
    var sums = splat(0)
    index = 0
    while index &+ laneCount <= count {
        let term = laneExp(load(x + index) - shift)
        sums += term
        if let exponentials { store(term, exponentials + index) }
        index &+= laneCount
    }
    let rest = count &- index
    if rest > 0 {
        let term = laneExp(loadPartial(x + index, rest) - shift)
        for lane in 0..<rest { sums[lane] += term[lane] }
        if let exponentials { storePartial(term, exponentials + index, rest) }
    }
    var sum = 0.0
    for lane in 0..<laneCount { sum += Double(sums[lane]) }
    return (maximum, sum)
}
