import Baton

/// What one rank counted while it trained.
struct RankTally {
    /// Targets that count for this rank.
    private(set) var tokens = 0
    /// Wall time of the rounds, between steps included.
    private(set) var seconds = 0.0
    /// Wall time of every step.
    private(set) var stepSeconds: [Double] = []
    /// Sums over all steps.
    private(set) var times = StepTimes()

    /// Adds one step.
    ///
    /// - Parameter tokens: targets that count for this rank.
    mutating func add(tokens: Int, seconds: Double, times part: StepTimes) {
        self.tokens += tokens
        stepSeconds.append(seconds)
        times.forward += part.forward
        times.backward += part.backward
        times.combine += part.combine
        times.update += part.update
        times.hash += part.hash
    }

    /// Adds the wall time of a round of steps.
    mutating func add(roundSeconds: Double) { seconds += roundSeconds }

    /// Of all rounds.
    var tokensPerSecond: Double { Double(tokens) / seconds }

    /// Tokens of a step over its median time: what the rate would be if nothing else ran on the machine now and then.
    var tokensPerSecondByMedian: Double {
        Double(tokens) / Double(stepSeconds.count) / median(stepSeconds)
    }
}

/// The middle value, or the mean of the two in the middle.
///
/// - Precondition: there is one.
func median(_ values: [Double]) -> Double {
    precondition(!values.isEmpty, "median: no values")
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
