/// Which text a run is trained on, so that a resumed run can be held to it.
public struct TrainingText: Codable, Hashable, Sendable {
    /// SHA-256 of the text as UTF-8, in hexadecimal.
    public var digest: String
    /// Share of the tokens, at the end, that is kept for validation.
    public var validationFraction: Double

    /// A text by its digest, and how it is split.
    public init(digest: String, validationFraction: Double) {
        self.digest = digest
        self.validationFraction = validationFraction
    }
}
