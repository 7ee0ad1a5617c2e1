import BatonChecks

/// What a sorted sample says about the times most and few calls take.
struct Percentiles: Encodable {
    var best: Double
    var p50: Double
    var p90: Double
    var p99: Double
    var max: Double

    /// - Precondition: there is a value.
    init(_ values: [Double]) {
        require(!values.isEmpty, "Percentiles: no values")
        let sorted = values.sorted()
        /// The smallest value that at least `percent` percent of all do not exceed (nearest rank).
        func rank(_ percent: Int) -> Double { sorted[Swift.max(0, (sorted.count * percent + 99) / 100 - 1)] }
        best = sorted[0]
        p50 = rank(50)
        p90 = rank(90)
        p99 = rank(99)
        max = sorted[sorted.count - 1]
    }
}

/// The middle value, or the mean of the two in the middle.
///
/// - Precondition: there is one.
func median(_ values: [Double]) -> Double {
    require(!values.isEmpty, "median: no values")
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
