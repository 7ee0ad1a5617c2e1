/// What went wrong between processes, in one sentence.
public struct CommError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The families of trouble a caller may want to tell apart.
    public enum Kind: String, Sendable, Hashable {
        /// The transport returned an error code.
        case transport
        /// A time limit passed; the transfer itself is still under way and may be waited for again.
        case timeout
        /// A message arrived with another number of bytes than its receiver asked for.
        case countMismatch
        /// Ranks do not agree on something all must share.
        case disagreement
        /// The launcher's environment, or a request to the communicator, makes no sense.
        case invalid
        /// The communicator was closed by an earlier failure or by finalising.
        case closed
        /// A fault that a test ordered.
        case injected
    }

    /// The family of the trouble.
    public let kind: Kind
    /// One sentence: what happened, between whom, what was expected, what to do.
    public let message: String
    /// MPI's return code, when MPI gave one.
    public let code: Int32?

    /// An error of the given family; `message` is one sentence.
    public init(_ kind: Kind, _ message: String, code: Int32? = nil) {
        self.kind = kind
        self.message = message
        self.code = code
    }

    /// The message.
    public var description: String { message }
}

extension CommError {
    /// The error of a wait that has lasted too long.
    ///
    /// - Parameters:
    ///   - purpose: Who waits for what, as `Request.purpose` says it.
    ///   - limit: How long.
    public static func timeout(_ purpose: String, since limit: Duration) -> CommError {
        CommError(
            .timeout,
            "\(purpose) since \(limit): the peer is late, stopped or somewhere else; where it is only late, BATON_WAIT_LIMIT=SECONDS waits longer."
        )
    }

    /// The error of a receive whose message has another length.
    public static func countMismatch(
        expected: Int, got: Int, from sender: Int, to receiver: Int, tag: Int
    ) -> CommError {
        CommError(
            .countMismatch,
            "rank \(receiver) asked for \(expected) bytes from rank \(sender) (tag \(tag)) but "
                + "\(got) came: the two ranks disagree about what they exchange.")
    }
}
