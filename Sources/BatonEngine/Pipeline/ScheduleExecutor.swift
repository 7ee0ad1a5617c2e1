import BatonComm
import BatonKernelABI

/// What a stage computes, for an executor that knows only actions and messages.
protocol StageWork: AnyObject {
    /// Runs an action whose message has arrived.
    func perform(_ action: ScheduleAction, hook: StepHook) throws
    /// Where the message that an action needs is received.
    func landing(for action: ScheduleAction) throws -> UnsafeMutableRawBufferPointer
    /// What the neighbour needs of an action that has ended.
    func result(of action: ScheduleAction) throws -> UnsafeRawBufferPointer
}

/// Runs one rank's list of a schedule: receives ahead, computes, sends without waiting.
struct ScheduleExecutor {
    /// Wall time by what it went into, seconds.
    struct Times {
        var forward = 0.0
        /// Data and weights.
        var backward = 0.0
        /// For messages and sums.
        var wait = 0.0
    }

    /// Messages that are received before they are needed. Two: one that arrives while one is used.
    static let lookahead = 2

    private let shape: ScheduleShape
    private let actions: [ScheduleAction]
    /// Actions whose message comes from a neighbour, in the order they are needed.
    private let needing: [ScheduleAction]
    /// Sends that may be under way at once; nil for all of the list.
    private let openSends: Int?

    /// - Parameter rank: Place in the schedule.
    init(_ schedule: PipelineSchedule, rank: Int, openSends: Int? = nil) {
        let shape = schedule.shape
        self.shape = shape
        self.openSends = openSends
        actions = schedule.ranks[rank]
        needing = actions.filter { shape.message(neededBy: $0) != nil }
    }

    /// Runs the list once. Collective over the stages.
    ///
    /// - Parameter trace: gets every action and every wait; nil records nothing.
    func run(_ work: any StageWork, _ transfers: StageTransfers, trace: StepTrace? = nil) throws -> Times {
        var times = Times()
        var watch = StopWatch(trace)
        var (expected, taken) = (0, 0)
        for action in actions {
            while expected < min(needing.count, taken + Self.lookahead) {
                let next = needing[expected]
                if let source = shape.message(neededBy: next), let index = shape.index(of: source) {
                    try transfers.expect(index, from: source.stage, into: try work.landing(for: next))
                }
                expected += 1
            }
            if let source = shape.message(neededBy: action), let index = shape.index(of: source) {
                try transfers.take(index)
                taken += 1
                times.wait += watch.lap(.wait, .arrival(source))
            }
            try work.perform(action, hook: transfers.hook)
            switch action.kind {
            case .forward: times.forward += watch.lap(.compute, .action(action))
            case .backward, .weightGradient, .output: times.backward += watch.lap(.compute, .action(action))
            case .gradientSum: times.wait += watch.lap(.wait, .action(action))
            }
            if let receiver = shape.receiver(of: action), let index = shape.index(of: action) {
                try transfers.send(index, to: receiver, try work.result(of: action))
                if let openSends { try transfers.finishSends(downTo: openSends) }
            }
        }
        try transfers.finishSends()
        times.wait += watch.lap(.wait, .phase(.sends))
        return times
    }
}

extension ScheduleShape {
    /// The time steps of a chunk of a window of T steps; some are empty if T is less than K.
    func steps(ofChunk chunk: Int, of count: Int) -> Range<Int> {
        chunk * count / chunks..<(chunk + 1) * count / chunks
    }
}
