/// A failure that a training run or a user's input can cause, in one sentence.
public struct NNError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, what was expected, and what to do.
    public let message: String
    /// The message.
    public var description: String { message }

    /// A failure with its sentence.
    public init(_ message: String) { self.message = message }
}

/// The result of a check that throws where a user's input is checked, and ends the process where a caller's is.
func trapping<Result>(
    file: StaticString = #fileID, line: UInt = #line, _ body: () throws(NNError) -> Result
) -> Result {
    do { return try body() } catch { fatalError(error.message, file: file, line: line) }
}
