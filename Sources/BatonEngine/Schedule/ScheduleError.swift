/// A list of actions that is no schedule, in one sentence, followed by the grid where it helps.
public struct ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with the schedule.
    public let message: String
    /// The sentence.
    public var description: String { message }

    init(_ message: String) { self.message = message }
}
