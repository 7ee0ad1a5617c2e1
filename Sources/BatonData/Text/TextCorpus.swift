/// A text as token ids, split by position into a training part and a validation part.
///
/// Memory: 4 bytes per token.
public struct TextCorpus: Sendable {
    /// The tokens of the whole text, both parts.
    public let vocabulary: Vocabulary
    /// Ids of the training part: the first ⌊tokens · (1 − fraction)⌋.
    public let training: [Int32]
    /// Ids of the validation part: the rest, in the order of the text.
    public let validation: [Int32]

    /// Builds the vocabulary of a text, encodes the text with it and splits it.
    ///
    /// - Parameters:
    ///   - validationFraction: the share of tokens at the end that is kept for validation, in [0, 1).
    ///   - minimumCount: see `Vocabulary`.
    ///   - maximumSize: see `Vocabulary`.
    /// - Throws: `DataError` when there is no token, or a figure is out of range.
    public init(
        text: String, tokenization: Tokenization, validationFraction: Double,
        minimumCount: Int = 1, maximumSize: Int? = nil
    ) throws(DataError) {
        try self.init(
            text: text,
            vocabulary: Vocabulary(
                of: text, tokenization: tokenization, minimumCount: minimumCount, maximumSize: maximumSize),
            validationFraction: validationFraction)
    }

    /// Encodes a text with a vocabulary that exists (of a run that is resumed or evaluated) and splits it.
    ///
    /// - Throws: `DataError` when there is no token, the fraction is out of range, or a character is not in the
    ///   vocabulary.
    public init(text: String, vocabulary: Vocabulary, validationFraction: Double) throws(DataError) {
        // Written so that NaN is refused too.
        guard validationFraction >= 0 && validationFraction < 1 else {
            throw DataError(
                .outOfRange,
                "The validation split is \(validationFraction) where 0 or more and less than 1 is expected; "
                    + "use for instance 0.1.")
        }
        let tokens = try vocabulary.encode(text)
        guard !tokens.isEmpty else {
            throw DataError(.empty, "The text has no tokens, only white space; give a text with words in it.")
        }
        let trainingCount = Int(Double(tokens.count) * (1 - validationFraction))
        self.vocabulary = vocabulary
        training = Array(tokens[..<trainingCount])
        validation = Array(tokens[trainingCount...])
    }
}
