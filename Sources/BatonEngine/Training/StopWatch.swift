/// Wall time in laps that adjoin, seconds.
struct StopWatch {
    private let start = ContinuousClock.now
    private var lapStart: ContinuousClock.Instant

    init() { lapStart = start }

    /// Time since the last lap or the start; a new lap begins.
    mutating func lap() -> Double {
        let now = ContinuousClock.now
        defer { lapStart = now }
        return Double((now - lapStart) / .nanoseconds(1)) * 1e-9
    }

    /// Time from the start to the end of the last lap.
    var total: Double { Double((lapStart - start) / .nanoseconds(1)) * 1e-9 }
}
