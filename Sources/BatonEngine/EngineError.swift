/// A training run that cannot be set up or continued; one sentence that names what was wrong and what to do.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong, what was expected, and what to do.
    public let message: String
    /// The sentence.
    public var description: String { message }

    /// An error with its sentence.
    public init(_ message: String) { self.message = message }
}
