/// Wall time in laps that adjoin, seconds; laps with a name also go into a trace, if there is one.
struct StopWatch {
    /// Where the watch was started.
    let start = ContinuousClock.now
    private(set) var lapStart: ContinuousClock.Instant
    private let trace: StepTrace?

    init(_ trace: StepTrace? = nil) {
        lapStart = start
        self.trace = trace
    }

    /// Time since the last lap or the start; a new lap begins.
    mutating func lap() -> Double {
        let now = ContinuousClock.now
        defer { lapStart = now }
        return Double((now - lapStart) / .nanoseconds(1)) * 1e-9
    }

    /// The same, recorded.
    mutating func lap(_ track: TraceEvent.Track, _ activity: TraceEvent.Activity) -> Double {
        let begun = lapStart
        let seconds = lap()
        trace?.record(track, activity, from: begun, to: lapStart)
        return seconds
    }

    /// Time from the start to the end of the last lap.
    var total: Double { Double((lapStart - start) / .nanoseconds(1)) * 1e-9 }
}
