import Baton

/// A few real steps of the layouts that are expected to be about equally fast, in turns.
///
/// Forecasts of two layouts are off by some percent against each other; a second of training decides between those that
/// are closer than that.
struct LayoutTrial {
    /// One layout that was tried.
    struct Entry {
        var forecast: LayoutForecast
        /// Median of the turns' medians.
        var secondsPerStep: Double
        /// Over the step of the first one in the same turn, the median of the turns.
        var ratio: Double
    }

    /// In the order of the forecasts; the first was predicted fastest.
    let entries: [Entry]

    /// Layouts of the best forecast and those at most so much slower are tried, at most `limit` of them.
    private static let slower = 1.25
    private static let limit = 3
    private static let turns = 8
    /// About how long all turns may take.
    private static let seconds = 8.0
    /// A forecast is overruled by a step that is shorter by more than what a trial may be off.
    private static let margin = 0.97
    /// Together they must not need more than this, per rank.
    private static let bytesLimit = 0x1p32

    /// The one that was clearly fastest, else the one that was predicted fastest.
    var winner: Entry {
        entries.min { $0.ratio < $1.ratio }.flatMap { $0.ratio < Self.margin ? $0 : nil } ?? entries[0]
    }

    /// The layouts that are worth a trial; none if there is nothing to decide.
    static func finalists(_ forecasts: [LayoutForecast]) -> [LayoutForecast] {
        let best = forecasts.bestOfEach
        let close = best.prefix(limit).filter { $0.secondsPerStep <= slower * best[0].secondsPerStep }
        return close.count > 1 && close.reduce(0, { $0 + $1.bytesPerRank }) <= bytesLimit ? close : []
    }

    /// Turns, and steps of each layout in one at least, where one step of each takes so long.
    static func length(once: Double) -> (turns: Int, steps: Int) {
        let steps = once * Double(3 * turns) <= seconds ? 3 : 1
        return (max(3, min(turns, Int(seconds / max(once * Double(steps), 1e-9)))), steps)
    }

    /// Collective; all ranks come to the same result.
    ///
    /// - Parameter finalists: at least one.
    init(_ finalists: [LayoutForecast], _ workload: TrainWorkload, _ job: ParallelJob) throws {
        var rounds = try finalists.map { try TrainRounds(workload, $0.candidate, communicator: job.communicator) }
        let once = try job.communicator.allGather(rounds.reduce(0) { $0 + $1.secondsPerStep }).max() ?? 0
        let length = Self.length(once: once)
        var turns: [[Double]] = []
        for _ in 0..<length.turns {
            for place in rounds.indices { try rounds[place].run(seconds: 0.06, atLeast: length.steps) }
            turns.append(rounds.map(\.secondsPerStep))
        }
        // Ranks count alike, but they time for themselves.
        turns = try turns.map { try job.communicator.allGather($0)[0] }
        entries = finalists.enumerated().map { place, forecast in
            Entry(
                forecast: forecast, secondsPerStep: median(turns.map { $0[place] }),
                ratio: median(turns.map { $0[place] / $0[0] }))
        }
    }

    /// Why the winner was chosen, if not because it was predicted fastest.
    var reason: String? {
        let winner = winner
        guard winner.forecast != entries[0].forecast else { return nil }
        return
            "In a trial its step took \(fixed(winner.secondsPerStep * 1e3, digits: 2)) ms where that of \(entries[0].forecast.candidate), which was predicted \(fixed((winner.forecast.secondsPerStep / entries[0].forecast.secondsPerStep - 1) * 100, digits: 1)) % faster, took \(fixed(entries[0].secondsPerStep * 1e3, digits: 2))."
    }
}
