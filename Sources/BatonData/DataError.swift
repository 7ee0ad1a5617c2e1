/// What was wrong with data given to Baton.
///
/// `message` is one sentence that names the file or figure, what was expected and found, and the remedy. `code` tells
/// the cases apart.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The broken rule.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// No file was named.
        case noFiles
        /// A file does not exist or may not be read.
        case cannotRead
        /// A file, or the text of all files, is empty.
        case empty
        /// A file is not UTF-8 text.
        case notUTF8
        /// A character that the vocabulary does not hold, in a vocabulary without `<unk>`.
        case unknownCharacter
        /// An id that the vocabulary does not hold.
        case unknownIdentifier
        /// A vocabulary read from disk that contradicts itself.
        case malformedVocabulary
        /// A fraction, count or limit outside its range.
        case outOfRange
        /// Too few tokens for the lanes and steps.
        case tooShort
        /// A cursor that does not lie in the corpus.
        case badCursor
        /// Sequences that do not fit into one batch.
        case unequalSequences
    }

    /// The broken rule.
    public let code: Code
    /// One sentence for the user.
    public let message: String

    /// An error of the given kind.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    public var description: String { message }
}
