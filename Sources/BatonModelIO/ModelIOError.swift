/// Why a file's tensors do not make a model.
///
/// `message` is one sentence that names the file and tensor, what was expected and found, and the remedy.
public struct ModelIOError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence for the user.
    public let message: String

    /// An error with its sentence.
    public init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}
