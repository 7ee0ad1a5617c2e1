import BatonChecks

/// Runs a schedule without processes: proves that it comes to an end, and says when and with how much memory.
///
/// Rendezvous semantics, the strictest a transport may have: nothing is buffered. A message moves only when its send
/// has been started, which an action's end does without waiting, and its receive, which a rank starts no earlier than it
/// reaches the action that needs the message, or with a look-ahead one that needs an earlier one. Messages of a spread
/// output layer are received from the beginning. A rank with `credit` messages to one neighbour that have not moved waits
/// before the next action that would send there.
public struct ScheduleSimulator: Sendable {
    /// Time of each action and message, in any unit.
    public struct Costs: Sendable {
        /// Of one chunk.
        public var forward = 1.0
        /// Of one chunk.
        public var backward = 1.0
        /// Of one chunk; an action covers all K.
        public var weightGradient = 1.0
        /// Of the sum over replicas.
        public var gradientSum = 1.0
        /// Of a stage's rows of the output layer, one chunk.
        public var output = 1.0
        /// From one stage to the next.
        public var message = 0.0
        /// Factors of the stages; nil is 1 for all.
        public var stages: [Double]?
        /// Costs of each stage's actions instead of the above; nil leaves them as they are.
        public var ofStages: [StageCosts]?

        /// Everything one unit, messages free.
        public init() {}

        func of(_ action: ScheduleAction, chunks: Int) -> Double {
            if let ofStages { return ofStages[action.stage].of(action) }
            let factor = stages?[action.stage] ?? 1
            switch action.kind {
            case .forward: return factor * forward
            case .backward: return factor * backward
            case .weightGradient: return factor * weightGradient * Double(chunks)
            case .gradientSum: return gradientSum
            case .output: return factor * output
            }
        }
    }

    /// Time of the actions of one stage.
    public struct StageCosts: Sendable {
        /// Of one chunk.
        public var forward: Double
        /// Of one chunk.
        public var backward: Double
        /// Of all chunks of a micro-batch.
        public var weightGradient: Double
        /// Of the sum over replicas.
        public var gradientSum: Double
        /// Of one chunk of each micro-batch in a spread output layer, besides `forward` and `backward`; where the list ends
        /// they cost nothing.
        public var output: [Double]

        /// All values at once.
        public init(
            forward: Double, backward: Double, weightGradient: Double, gradientSum: Double, output: [Double] = []
        ) {
            self.forward = forward
            self.backward = backward
            self.weightGradient = weightGradient
            self.gradientSum = gradientSum
            self.output = output
        }

        func of(_ action: ScheduleAction) -> Double {
            switch action.kind {
            case .forward: forward
            case .backward: backward
            case .weightGradient: weightGradient
            case .gradientSum: gradientSum
            case .output: action.microBatch < output.count ? output[action.microBatch] : 0
            }
        }
    }

    /// What came out.
    public struct Outcome: Sendable {
        /// Begin and end of every action, in the order of the lists.
        public var times: [[Range<Double>]]
        /// End of the last action.
        public var makespan: Double
        /// Time each rank computes.
        public var busy: [Double]
        /// Most chunks of activations a rank holds at once: from a chunk's forward pass to the weight gradients of its
        /// micro-batch.
        public var peakLiveChunks: [Int]
        /// Σ busy / (ranks · makespan).
        public var efficiency: Double {
            makespan > 0 ? busy.reduce(0, +) / (Double(busy.count) * makespan) : 1
        }
        /// Share of the ranks' time in which they wait.
        public var bubble: Double { 1 - efficiency }
    }

    /// Times.
    public var costs: Costs
    /// Messages per neighbour that may wait for their receiver; a rank that keeps what it sends until the step ends
    /// has no limit.
    public var credit: Int
    /// Messages of neighbours that a rank receives ahead: with 2 it starts to receive the next while it uses one.
    public var lookahead: Int

    /// - Precondition: a credit and a look-ahead of at least 1.
    public init(costs: Costs = Costs(), credit: Int = .max, lookahead: Int = 1) {
        require(
            credit >= 1 && lookahead >= 1,
            "ScheduleSimulator: expected a credit and a look-ahead of at least 1, got \(credit) and \(lookahead)")
        self.costs = costs
        self.credit = credit
        self.lookahead = lookahead
    }

    /// - Throws: `ScheduleError` if no rank can go on before all have ended; it says what each waits for.
    public func run(_ schedule: PipelineSchedule) throws(ScheduleError) -> Outcome {
        var state = SimulatorState(schedule, self)
        // Ranks only ever wait for events of others, so visiting them in turn until nothing moves reaches the end of
        // every schedule that has one, whatever the order of the visits.
        var moved = true
        while moved {
            moved = false
            for rank in schedule.ranks.indices where state.advance(rank) { moved = true }
        }
        guard state.isFinished else {
            throw ScheduleError(
                "The schedule does not come to an end: \(state.waiting).")
        }
        return state.outcome
    }
}
