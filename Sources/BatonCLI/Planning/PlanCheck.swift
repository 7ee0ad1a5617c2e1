import Baton

/// What layouts really take, beside what was expected of them.
///
/// Machines get slower and faster while they are measured, by more than layouts differ. So layouts take turns, the
/// probe is repeated between the turns, and what is compared are medians over turns; of two layouts the ratio within a
/// turn.
struct PlanCheck {
    /// Of each layout, in the order given.
    struct Layout {
        /// Median of the turns' medians.
        var secondsPerStep: Double
        /// Median of what the probes before, between and after the turns predict.
        var predictedSecondsPerStep: Double
        /// Of the rank that needs the most, with what the process had before.
        var bytesPerRank: Double
        /// Mean of the first rank's steps.
        var times: StepTimes
    }

    let layouts: [Layout]
    /// Step of the layout that was chosen over that of the fastest; 1 if none is faster.
    let chosenOverBest: Double

    private static let turns = 8

    /// Collective.
    ///
    /// - Parameters:
    ///   - shown: the layouts, the one that was chosen among them.
    ///   - seconds: time for each layout.
    init(
        _ plan: JobPlan, _ shown: [LayoutForecast], _ workload: TrainWorkload, seconds: Double, _ job: ParallelJob
    ) throws {
        let world = job.communicator
        var bytes: [Double] = []
        var rounds: [TrainRounds] = []
        for forecast in shown {
            PeakMemory.reset()
            let before = PeakMemory.residentBytes
            rounds.append(try TrainRounds(workload, forecast.candidate, communicator: world))
            let grown = PeakMemory.bytes - before
            bytes.append(try world.allGather(grown).max() ?? grown)
        }
        var predictions = [shown.map(\.secondsPerStep)]
        var turns: [[Double]] = []
        for turn in 0..<Self.turns {
            if turn == Self.turns / 2 { predictions.append(try plan.probedAgain(shown, job)) }
            for place in rounds.indices { try rounds[place].run(seconds: seconds / Double(Self.turns)) }
            turns.append(rounds.map(\.secondsPerStep))
        }
        predictions.append(try plan.probedAgain(shown, job))
        // Ranks count alike, but they time for themselves.
        turns = try turns.map { try world.allGather($0)[0] }
        layouts = rounds.enumerated().map { place, round in
            Layout(
                secondsPerStep: median(turns.map { $0[place] }),
                predictedSecondsPerStep: median(predictions.map { $0[place] }),
                bytesPerRank: plan.costs.baseBytes + bytes[place], times: round.tally.meanTimes)
        }
        let chosen = shown.firstIndex(of: plan.best) ?? 0
        chosenOverBest = rounds.indices.map { place in median(turns.map { $0[chosen] / $0[place] }) }.max() ?? 1
    }
}
