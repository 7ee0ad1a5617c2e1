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

    /// Messages that are received before they are needed: those of a window cut in time, so that a stage does not wait
    /// for one that is a little slower for a while, but at least two, one that arrives while one is used.
    static func lookahead(_ shape: ScheduleShape) -> Int { max(2, shape.chunks) }

    private let shape: ScheduleShape
    private let actions: [ScheduleAction]
    /// Actions whose message comes from a neighbour, in the order they are needed.
    private let needing: [ScheduleAction]
    /// Whether the micro-batches are a stream.
    private let isStream: Bool

    /// - Parameters:
    ///   - rank: Place in the schedule.
    ///   - isStream: Whether the micro-batches are windows of a stream, forward only: a stage then begins a window when
    ///     the next stage has ended the window before the last. It is one window ahead of a slower stage at most, so
    ///     tensors of earlier windows are free, messages do not pile up, and no window waits long for its turn.
    init(_ schedule: PipelineSchedule, rank: Int, isStream: Bool = false) {
        let shape = schedule.shape
        self.shape = shape
        self.isStream = isStream
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
            if isStream, let next = shape.receiver(of: action), shape.begins(action, afterWindows: 2) {
                try transfers.takeLeave(from: next)
                try transfers.finishSends(downTo: shape.chunks)
                times.wait += watch.lap(.wait, .phase(.sends))
            }
            while expected < min(needing.count, taken + Self.lookahead(shape)) {
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
            }
            if isStream, let source = shape.message(neededBy: action), shape.ends(action, beforeWindows: 2) {
                try transfers.giveLeave(to: source.stage)
            }
        }
        try transfers.finishSends()
        times.wait += watch.lap(.wait, .phase(.sends))
        return times
    }
}

extension ScheduleShape {
    /// Whether an action is the first of a window that so many come before.
    fileprivate func begins(_ action: ScheduleAction, afterWindows count: Int) -> Bool {
        action.chunk == 0 && action.microBatch >= count
    }

    /// Whether an action is the last of a window that so many follow.
    fileprivate func ends(_ action: ScheduleAction, beforeWindows count: Int) -> Bool {
        action.chunk + 1 == chunks && action.microBatch + count < microBatches
    }

    /// The time steps of a chunk of a window of T steps; some are empty if T is less than K.
    func steps(ofChunk chunk: Int, of count: Int) -> Range<Int> {
        chunk * count / chunks..<(chunk + 1) * count / chunks
    }
}
