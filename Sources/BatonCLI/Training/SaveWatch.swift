import Baton

/// Between the steps of a training: whether its ranks must save now, because a signal asked one of them to stop, or because
/// the last checkpoint is old by the clock of rank 0.
struct SaveWatch {
    /// Why to save.
    enum Reason: Hashable {
        case age
        case signal(Int32)
    }

    /// What a rank tells the others.
    private struct Note: BitwiseCopyable {
        /// 0 is none.
        var signal: Int32
        /// Of rank 0: whether the last checkpoint is old, and after how many steps to ask again.
        var isOld: Bool
        var steps: Int32
    }

    private let communicator: any Communicator
    private let greatestAge: Double
    private var savedAt: Double
    private var nextStep = 0

    /// - Parameters:
    ///   - greatestAge: seconds after which a checkpoint is old.
    ///   - now: seconds by a clock of this rank.
    init(_ communicator: any Communicator, greatestAge: Double, now: Double) {
        self.communicator = communicator
        self.greatestAge = greatestAge
        savedAt = now
    }

    /// Why to save after a step; nil if there is no reason. Collective.
    ///
    /// Ranks ask each other after steps that are about a tenth of a second apart: short ones do not wait for it.
    mutating func reason(after report: StepMetrics, now: Double) throws(CommError) -> Reason? {
        guard report.step >= nextStep else { return nil }
        let steps = max(1, min(1000, 0.1 / max(report.seconds, 1e-6)))
        let notes = try communicator.allGather(
            Note(signal: StopSignal.received ?? 0, isOld: now - savedAt >= greatestAge, steps: Int32(steps)))
        nextStep = report.step + Int(notes[0].steps)
        if let asked = notes.first(where: { $0.signal != 0 }) { return .signal(asked.signal) }
        return notes[0].isOld ? .age : nil
    }

    /// A checkpoint has been written.
    mutating func saved(now: Double) { savedAt = now }
}
