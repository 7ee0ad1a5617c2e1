import Baton

/// The figures of one way of training, over all ranks.
struct TrainFigures: Encodable {
    /// Mean milliseconds of a step of rank 0, by what they went into.
    struct Breakdown: Encodable {
        var forward: Double
        var backward: Double
        /// Waiting for sums that the backward pass did not hide.
        var wait: Double
        var update: Double
        var hash: Double

        init(_ times: StepTimes) {
            forward = times.forward * 1e3
            backward = times.backward * 1e3
            wait = times.combine * 1e3
            update = times.update * 1e3
            hash = times.hash * 1e3
        }

        /// In the order they happen.
        var parts: [(name: String, milliseconds: Double)] {
            [("forward", forward), ("backward", backward), ("wait", wait), ("update", update), ("hash", hash)]
        }
    }

    /// `coupled` or `independent`.
    var ranks: String
    /// Sum over the ranks.
    var tokensPerSecond: Double
    /// The same from the median step of every rank.
    var tokensPerSecondByMedian: Double
    var tokensPerSecondPerRank: Double
    var gflops: Double
    /// Of the sum of all ranks' peaks.
    var shareOfPeak: Double
    /// Of rank 0.
    var medianStepMilliseconds: Double
    var bestStepMilliseconds: Double
    /// Steps of rank 0.
    var steps: Int
    var stepMilliseconds: Breakdown

    /// Sums the tallies of all ranks. Collective.
    ///
    /// - Parameter peak: sum over the ranks, operations per second.
    init(
        _ tally: RankTally, isCoupled: Bool, workload: TrainWorkload, peak: Double, communicator: any Communicator
    ) throws {
        let rates = try communicator.allGather([tally.tokensPerSecond, tally.tokensPerSecondByMedian])
        ranks = isCoupled ? "coupled" : "independent"
        tokensPerSecond = rates.reduce(0) { $0 + $1[0] }
        tokensPerSecondByMedian = rates.reduce(0) { $0 + $1[1] }
        tokensPerSecondPerRank = tokensPerSecond / Double(communicator.size)
        let operationsPerSecond =
            tokensPerSecond * workload.operationsPerToken(ranks: isCoupled ? communicator.size : 1)
        gflops = operationsPerSecond * 1e-9
        shareOfPeak = operationsPerSecond / peak
        medianStepMilliseconds = median(tally.stepSeconds) * 1e3
        bestStepMilliseconds = (tally.stepSeconds.min() ?? 0) * 1e3
        steps = tally.stepSeconds.count
        stepMilliseconds = Breakdown(tally.meanTimes)
    }
}
