import BatonComm

/// One thing a rank did, from when to when.
public struct TraceEvent: Sendable, Hashable {
    /// What a rank does at the same time as other things; events of one track never overlap.
    public enum Track: Int, Sendable, CaseIterable {
        /// Whole steps.
        case step
        /// The processor works on the step.
        case compute
        /// The rank can do nothing until others have done something.
        case wait
        /// At least one message to another pipeline stage is under way.
        case messages
        /// At least one sum of gradients over replicas is under way.
        case sums
        /// The processor works on rows of an output layer that all stages share: within an action of `compute`, or while
        /// the rank would only `wait`.
        case output
    }

    /// Parts of a step that are no actions of a schedule.
    public enum Phase: Int, Sendable, CaseIterable {
        /// The whole step.
        case step
        /// Reading the windows, looking up the embedding and packing the weights, of a pipeline stage.
        case begin
        /// Reading the window, the model and the loss, of a rank that holds the whole model.
        case forward
        /// The way back, of a rank that holds the whole model.
        case backward
        /// Sums of gradients over replicas.
        case gradients
        /// Messages to other stages.
        case sends
        /// Loss of the leaves of other ranks.
        case loss
        /// Squares of the gradient and the norm made of them.
        case norm
        /// Clipping and optimiser.
        case update
        /// Hash of the parameters, with the gathering of the stages' parts.
        case hash
    }

    /// What is done.
    public enum Activity: Sendable, Hashable {
        /// An action of the schedule.
        case action(ScheduleAction)
        /// The arrival of what an action of a neighbouring stage made.
        case arrival(ScheduleAction)
        /// Anything else.
        case phase(Phase)
    }

    /// Where it is shown.
    public var track: Track
    /// What was done.
    public var activity: Activity
    /// The step it belongs to, counted from 1.
    public var step: Int
    /// Begin, nanoseconds since the origin of the trace.
    public var start: Int64
    /// End, nanoseconds since the origin of the trace.
    public var end: Int64

    /// All values at once.
    public init(_ track: Track, _ activity: Activity, step: Int, start: Int64, end: Int64) {
        self.track = track
        self.activity = activity
        self.step = step
        self.start = start
        self.end = end
    }

    /// For people: `1F0.3`, `wait for 0F0.3`, `update`.
    public var name: String {
        switch activity {
        case .action(let action): action.description
        case .arrival(let action): "wait for \(action)"
        case .phase(.step): "step \(step)"
        case .phase(let phase): track == .wait ? "wait for \(phase)" : "\(phase)"
        }
    }

    /// Seconds from begin to end.
    public var seconds: Double { Double(end - start) * 1e-9 }
}

extension TraceEvent {
    /// Numbers an event is sent as.
    static let wordCount = 8

    /// The event as numbers.
    var words: [Int64] {
        let (form, phase, action): (Int64, Phase, ScheduleAction) =
            switch activity {
            case .action(let action): (0, .step, action)
            case .arrival(let action): (1, .step, action)
            case .phase(let phase): (2, phase, ScheduleAction(.forward, stage: 0))
            }
        let kind = ScheduleAction.Kind.allCases.firstIndex(of: action.kind) ?? 0
        return [
            Int64(track.rawValue) << 32 | form << 16 | Int64(phase.rawValue), Int64(kind), Int64(action.stage),
            Int64(action.microBatch), Int64(action.chunk), Int64(step), start, end,
        ]
    }

    /// - Throws: `CommError` if the numbers are no event.
    init(words: ArraySlice<Int64>) throws(CommError) {
        let words = Array(words)
        let (kinds, head) = (ScheduleAction.Kind.allCases, words[0])
        guard let track = Track(rawValue: Int(head >> 32)), let phase = Phase(rawValue: Int(head & 0xffff)),
            kinds.indices.contains(Int(words[1]))
        else { throw CommError(.invalid, "a rank sent \(words), which is no event of a trace.") }
        let action = ScheduleAction(
            kinds[Int(words[1])], stage: Int(words[2]), microBatch: Int(words[3]), chunk: Int(words[4]))
        let activity: Activity =
            switch head >> 16 & 0xffff {
            case 0: .action(action)
            case 1: .arrival(action)
            default: .phase(phase)
            }
        self.init(track, activity, step: Int(words[5]), start: words[6], end: words[7])
    }
}
