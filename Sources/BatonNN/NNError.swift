/// A failure that a training run or a user's input can cause, in one sentence.
public struct NNError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, what was expected, and what to do.
    public let message: String
    /// The message.
    public var description: String { message }

    /// A failure with its sentence.
    public init(_ message: String) { self.message = message }
}
