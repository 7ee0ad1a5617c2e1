/// A training run that cannot be set up or continued; one sentence that names what was wrong and what to do.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public var description: String { message }

    public init(_ message: String) { self.message = message }
}
