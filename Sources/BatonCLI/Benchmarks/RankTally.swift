import Baton

/// What one rank counted while it trained.
struct RankTally {
    /// Targets that count for this rank.
    private(set) var tokens = 0
    /// Wall time of the rounds, between steps included.
    private(set) var seconds = 0.0
    /// Wall time of every step.
    private(set) var stepSeconds: [Double] = []
    private var times = StepTimes()

    /// Adds one step.
    ///
    /// - Parameter tokens: targets that count for this rank.
    mutating func add(tokens: Int, seconds: Double, times part: StepTimes) {
        self.tokens += tokens
        stepSeconds.append(seconds)
        times += part
    }

    /// Adds the wall time of a round of steps.
    mutating func add(roundSeconds: Double) { seconds += roundSeconds }

    /// Of a step, the mean of all.
    var meanTimes: StepTimes { times / Double(stepSeconds.count) }

    /// Of all rounds.
    var tokensPerSecond: Double { Double(tokens) / seconds }

    /// Tokens of a step over its median time: what the rate would be if nothing else ran on the machine now and then.
    var tokensPerSecondByMedian: Double {
        Double(tokens) / Double(stepSeconds.count) / median(stepSeconds)
    }
}
