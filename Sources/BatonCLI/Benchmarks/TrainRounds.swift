import Baton

/// Rounds of training steps on the ranks of a job, either coupled or every rank for itself. All methods are collective.
struct TrainRounds {
    private let communicator: any Communicator
    let trainer: LanguageModelTrainer
    /// Whether the ranks train one model together.
    private let isCoupled: Bool
    /// What this rank has counted.
    private(set) var tally = RankTally()
    /// Median of the last round.
    private(set) var secondsPerStep = 0.0

    /// Builds the model and warms up.
    ///
    /// - Parameter candidate: how coupled ranks divide the work; nil leaves every rank to itself.
    init(_ workload: TrainWorkload, _ candidate: LayoutCandidate?, communicator: any Communicator) throws {
        self.communicator = communicator
        isCoupled = candidate != nil
        trainer =
            if let candidate {
                try workload.makeTrainer(
                    ProcessGrid(candidate.layout, world: communicator), schedule: candidate.schedule,
                    cuts: candidate.cuts, output: candidate.output)
            } else {
                try workload.makeTrainer(ProcessGrid(dataParallel: SelfCommunicator()))
            }
        // The first step allocates; the second shows how long one takes.
        for _ in 0..<2 { secondsPerStep = try trainer.step().seconds }
    }

    /// Lanes of this rank.
    var lanes: Int { trainer.share.lanes.count }

    /// One round of about so many seconds and at least some steps, begun by all ranks together.
    ///
    /// - Returns: Tokens per second of every rank; those of ranks that work together count for the first.
    @discardableResult mutating func run(seconds: Double, atLeast least: Int = 3) throws -> [Double] {
        // Coupled ranks have to make the same number of steps, so they agree on it before; ranks on their own stop by
        // the clock, so that all of them are busy from the first to the last moment.
        let slowest = try communicator.allGather(secondsPerStep).max() ?? secondsPerStep
        let agreed = max(least, Int(min(seconds / slowest, 1e6).rounded(.up)))
        var steps: [StepMetrics] = []
        try communicator.barrier()
        let start = ContinuousClock.now
        while isCoupled ? steps.count < agreed : steps.count < least || BestTime.elapsed(since: start) < seconds {
            steps.append(try trainer.step())
        }
        let time = BestTime.elapsed(since: start)
        tally.add(roundSeconds: time)
        var counted = 0
        for step in steps {
            // A step that ranks make together is counted once.
            let tokens = isCoupled && communicator.rank > 0 ? 0 : step.tokens
            tally.add(tokens: tokens, seconds: step.seconds, times: step.times)
            counted += tokens
        }
        secondsPerStep = median(steps.map(\.seconds))
        return try communicator.allGather(Double(counted) / time)
    }
}
