/// How a text is cut into tokens.
public enum Tokenization: String, Codable, Sendable, CaseIterable {
    /// One token per Unicode scalar.
    ///
    /// Scalars, not `Character`s: the vocabulary stays small and closed (an accent written as its own scalar is its own
    /// token, "\r\n" is two), and every text is reproduced exactly.
    case characters = "chars"
    /// One token per word, per punctuation mark, and per newline (`<eos>`).
    ///
    /// A word is a run of letters, digits, marks and underscores, with single apostrophes inside ("don't"). Any other
    /// visible scalar is a token of its own; white space separates and is dropped. `<unk>` and `<eos>` spelled out in
    /// the text are taken as these tokens, as prepared corpora write them.
    case words
}
