/// Tokens and their ids 0 ..< count, in an order that depends on the text alone.
///
/// Characters are ordered by scalar value. Words start with `<unk>` (id 0) and `<eos>` (id 1), then by falling
/// frequency, equal frequencies by their scalars.
public struct Vocabulary: Hashable, Sendable {
    /// What one token is.
    public let tokenization: Tokenization
    /// The tokens; a token's index is its id.
    public let tokens: [String]
    /// Ids by scalar, for characters. Not by string: Swift takes "\u{212B}" and "\u{C5}" for the same string.
    private let characterIdentifiers: [Unicode.Scalar: Int32]
    /// Ids by word; words that Unicode regards as equal are one word.
    private let wordIdentifiers: [String: Int32]

    /// Number of tokens.
    public var count: Int { tokens.count }
    /// The id that stands for every word the vocabulary does not hold; nil for characters, which have none.
    public var unknownIdentifier: Int32? { wordIdentifiers[WordScanner.unknown] }

    /// The vocabulary of a text.
    ///
    /// - Parameters:
    ///   - minimumCount: words that occur less often become `<unk>`; must be 1 for characters.
    ///   - maximumSize: at most so many tokens, `<unk>` and `<eos>` included, the most frequent first; nil for no
    ///     limit, and must be nil for characters.
    /// - Throws: `DataError` for an empty text or a limit out of range.
    public init(
        of text: String, tokenization: Tokenization, minimumCount: Int = 1, maximumSize: Int? = nil
    ) throws(DataError) {
        guard !text.isEmpty else {
            throw DataError(.empty, "A vocabulary cannot be made of an empty text; give a text of at least one token.")
        }
        guard minimumCount >= 1 else {
            throw DataError(
                .outOfRange, "The minimum count of a word is \(minimumCount) where at least 1 is expected; raise it.")
        }
        switch tokenization {
        case .characters:
            guard minimumCount == 1 && maximumSize == nil else {
                throw DataError(
                    .outOfRange,
                    "A vocabulary of characters holds every character, so it takes neither minimum count nor maximum "
                        + "size; leave them out or use words.")
            }
            self.init(tokenization: .characters, tokens: Self.characters(of: text))
        case .words:
            guard maximumSize ?? 3 >= 3 else {
                throw DataError(
                    .outOfRange,
                    "A vocabulary of \(maximumSize ?? 0) tokens has no room for <unk>, <eos> and one word; "
                        + "allow at least 3."
                )
            }
            let words = Self.words(of: text, minimumCount: minimumCount)
            self.init(
                tokenization: .words,
                tokens: [WordScanner.unknown, WordScanner.endOfLine] + words.prefix((maximumSize ?? .max) - 2))
        }
    }

    private init(tokenization: Tokenization, tokens: [String]) {
        self.tokenization = tokenization
        self.tokens = tokens
        var characters: [Unicode.Scalar: Int32] = [:]
        var words: [String: Int32] = [:]
        for (index, token) in tokens.enumerated() {
            switch tokenization {
            case .characters: if let scalar = token.unicodeScalars.first { characters[scalar] = Int32(index) }
            case .words: words[token] = Int32(index)
            }
        }
        characterIdentifiers = characters
        wordIdentifiers = words
    }

    private static func characters(of text: String) -> [String] {
        Set(text.unicodeScalars).sorted().map(String.init)
    }

    private static func words(of text: String, minimumCount: Int) -> [String] {
        var counts: [String: Int] = [:]
        for word in WordScanner(text) { counts[word, default: 0] += 1 }
        counts[WordScanner.unknown] = nil
        counts[WordScanner.endOfLine] = nil
        return counts.filter { $0.value >= minimumCount }.sorted { first, second in
            first.value != second.value
                ? first.value > second.value
                : first.key.unicodeScalars.lexicographicallyPrecedes(second.key.unicodeScalars)
        }.map(\.key)
    }
}

extension Vocabulary {
    /// The ids of a text's tokens, in order.
    ///
    /// - Throws: `DataError` (`unknownCharacter`) for a character the vocabulary does not hold. Words it does not hold
    ///   become `<unk>`.
    public func encode(_ text: String) throws(DataError) -> [Int32] {
        var result: [Int32] = []
        switch tokenization {
        case .characters:
            result.reserveCapacity(text.utf8.count)
            for scalar in text.unicodeScalars {
                guard let identifier = characterIdentifiers[scalar] else {
                    throw DataError(
                        .unknownCharacter,
                        "Character \(scalar.escaped(asASCII: true)) (U+\(String(scalar.value, radix: 16, uppercase: true)))"
                            + " at position \(result.count) of the text is not in the vocabulary of \(count) "
                            + "characters; remove it or train on text that contains it.")
                }
                result.append(identifier)
            }
        case .words:
            // The vocabulary of words always holds <unk>.
            let unknown = unknownIdentifier ?? 0
            for word in WordScanner(text) { result.append(wordIdentifiers[word] ?? unknown) }
        }
        return result
    }

    /// The text of ids.
    ///
    /// Characters are joined as they are: `decode(encode(text)) == text`. Words are joined by spaces, with none around
    /// a newline and none before `, . ; : ! ?`; encoding the result gives the same ids again.
    ///
    /// - Throws: `DataError` (`unknownIdentifier`) for an id outside 0 ..< count.
    public func decode(_ identifiers: some Sequence<Int32>) throws(DataError) -> String {
        var text = ""
        var needsSpace = false
        for identifier in identifiers {
            guard tokens.indices.contains(Int(identifier)) else {
                throw DataError(
                    .unknownIdentifier,
                    "Token \(identifier) is not in the vocabulary of \(count) tokens; "
                        + "use the vocabulary of the same run."
                )
            }
            let token = tokens[Int(identifier)]
            switch tokenization {
            case .characters: text += token
            case .words where token == WordScanner.endOfLine:
                text += "\n"
                needsSpace = false
            case .words:
                if needsSpace && !Self.clinging.contains(token) { text += " " }
                text += token
                needsSpace = true
            }
        }
        return text
    }

    /// Punctuation that is written without a space before it.
    private static let clinging: Set<String> = [",", ".", ";", ":", "!", "?"]
}

extension Vocabulary: Codable {
    private enum CodingKeys: String, CodingKey { case tokenization, tokens }

    /// Decodes tokenization and tokens.
    ///
    /// - Throws: `DataError` (`malformedVocabulary`) when two ids have the same token, a character token is not one
    ///   scalar, or the special tokens are missing.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            tokenization: try container.decode(Tokenization.self, forKey: .tokenization),
            tokens: try container.decode([String].self, forKey: .tokens))
        let isSound =
            switch tokenization {
            case .characters: tokens.allSatisfy { $0.unicodeScalars.count == 1 }
            case .words: tokens.starts(with: [WordScanner.unknown, WordScanner.endOfLine])
            }
        let distinct = characterIdentifiers.count + wordIdentifiers.count
        guard isSound && distinct == tokens.count && !tokens.isEmpty && tokens.count <= Int(Int32.max) else {
            throw DataError(
                .malformedVocabulary,
                "The stored vocabulary of \(tokens.count) tokens repeats a token or lacks a special one; "
                    + "restore the file that holds it.")
        }
    }

    /// Encodes tokenization and tokens.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(tokenization, forKey: .tokenization)
        try container.encode(tokens, forKey: .tokens)
    }
}
