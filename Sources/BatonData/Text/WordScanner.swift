/// Cuts a text into words, as `Tokenization.words` says.
struct WordScanner: Sequence, IteratorProtocol {
    static let unknown = "<unk>"
    static let endOfLine = "<eos>"

    private let scalars: String.UnicodeScalarView
    private var position: String.Index

    init(_ text: String) {
        scalars = text.unicodeScalars
        position = scalars.startIndex
    }

    /// The next word, nil at the end of the text.
    mutating func next() -> String? {
        while position < scalars.endIndex {
            let scalar = scalars[position]
            if scalar == "\n" {
                position = scalars.index(after: position)
                return Self.endOfLine
            }
            if !scalar.properties.isWhitespace { break }
            position = scalars.index(after: position)
        }
        guard position < scalars.endIndex else { return nil }
        for special in [Self.unknown, Self.endOfLine] where scalars[position...].starts(with: special.unicodeScalars) {
            position = scalars.index(position, offsetBy: special.unicodeScalars.count)
            return special
        }
        let start = position
        if Self.isPartOfWord(scalars[position]) { skipWord() } else { position = scalars.index(after: position) }
        return String(scalars[start..<position])
    }

    private mutating func skipWord() {
        while position < scalars.endIndex {
            let following = scalars.index(after: position)
            if Self.isPartOfWord(scalars[position]) {
                position = following
            } else if Self.isApostrophe(scalars[position]), following < scalars.endIndex,
                Self.isPartOfWord(scalars[following])
            {
                position = following
            } else {
                return
            }
        }
    }

    private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool { scalar == "'" || scalar == "\u{2019}" }

    private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": return true
            default: return false
            }
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber, .connectorPunctuation:
            return true
        default: return false
        }
    }
}
