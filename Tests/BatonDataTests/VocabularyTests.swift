import BatonData
import Foundation
import Testing

@Suite struct VocabularyTests {
    @Test func charactersAreScalarsInOrderOfTheirValue() throws {
        let vocabulary = try Vocabulary(of: "hello\n é😀", tokenization: .characters)
        #expect(vocabulary.tokens == ["\n", " ", "e", "h", "l", "o", "é", "😀"])
        #expect(vocabulary.unknownIdentifier == nil)
        #expect(try vocabulary.encode("hole") == [3, 5, 4, 2])
    }

    /// Scalars that Unicode regards as equal, combined accents and "\r\n" keep their own ids and come back exactly.
    @Test(arguments: ["\u{212B}\u{C5}A\u{30A}", "e\u{301}é", "a\r\nb\n\r", "\u{0}\u{1}", "👩‍👩‍👧 text"])
    func charactersComeBackExactly(text: String) throws {
        let vocabulary = try Vocabulary(of: text, tokenization: .characters)
        #expect(vocabulary.count == Set(text.unicodeScalars).count)
        #expect(Array(try vocabulary.decode(vocabulary.encode(text)).utf8) == Array(text.utf8))
    }

    @Test func anUnknownCharacterIsNamedWithItsPosition() throws {
        let vocabulary = try Vocabulary(of: "abc", tokenization: .characters)
        let error = #expect(throws: DataError.self) { try vocabulary.encode("abé") }
        #expect(error?.code == .unknownCharacter)
        #expect(error?.message.contains("U+E9") == true && error?.message.contains("position 2") == true)
    }

    @Test func wordsAreOrderedByFrequencyThenText() throws {
        let vocabulary = try Vocabulary(of: "b a c b a B\nb", tokenization: .words)
        #expect(vocabulary.tokens == ["<unk>", "<eos>", "b", "a", "B", "c"])
    }

    @Test(arguments: [
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("don't 'quote' rock'n'roll's'", ["don't", "'", "quote", "'", "rock'n'roll's", "'"]),
        ("one\n\ntwo\r\n", ["one", "<eos>", "<eos>", "two", "<eos>"]),
        ("a <unk> b<eos>c <un>", ["a", "<unk>", "b", "<eos>", "c", "<", "un", ">"]),
        ("snake_case 3.14 x-y", ["snake_case", "3", ".", "14", "x", "-", "y"]),
        ("naïve e\u{301}te\u{301} l\u{2019}été …", ["naïve", "e\u{301}te\u{301}", "l\u{2019}été", "…"]),
        (" \t\u{A0}\u{3000}", []),
    ])
    func textIsCutIntoWords(text: String, words: [String]) throws {
        let vocabulary = try Vocabulary(of: text, tokenization: .words)
        #expect(try vocabulary.encode(text).map { vocabulary.tokens[Int($0)] } == words)
    }

    @Test func rareWordsAndWordsBeyondTheCapBecomeUnknown() throws {
        let text = "a a a b b c\n"
        let frequent = try Vocabulary(of: text, tokenization: .words, minimumCount: 2)
        #expect(frequent.tokens == ["<unk>", "<eos>", "a", "b"])
        #expect(try frequent.encode("c a\n") == [0, 2, 1])
        let capped = try Vocabulary(of: text, tokenization: .words, maximumSize: 3)
        #expect(capped.tokens == ["<unk>", "<eos>", "a"])
        #expect(try capped.decode(capped.encode(text)) == "a a a <unk> <unk> <unk>\n")
    }

    /// Property: words survive decoding and encoding, whatever they are.
    @Test(arguments: 0..<50) func decodedWordsEncodeToTheSameIds(seed: UInt64) throws {
        let alphabet = Array("aB9_é'’ \n\t.,;!?-<>()\u{301}\r\"unkeos").map { String($0) } + ["<unk>", "<eos>", "  "]
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var text = "seed "
        for _ in 0..<200 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text += alphabet[Int(state >> 33) % alphabet.count]
        }
        let vocabulary = try Vocabulary(of: text, tokenization: .words)
        let identifiers = try vocabulary.encode(text)
        #expect(try vocabulary.encode(vocabulary.decode(identifiers)) == identifiers)
    }

    @Test func decodingWritesPunctuationAsPeopleDo() throws {
        let text = "To be, or not to be: that is the question!\nNext ( line )"
        let vocabulary = try Vocabulary(of: text, tokenization: .words)
        #expect(try vocabulary.decode(vocabulary.encode(text)) == text)
    }

    @Test func anUnknownIdIsRefused() throws {
        let vocabulary = try Vocabulary(of: "abc", tokenization: .characters)
        for identifier in [-1, 3, Int32.max] {
            let error = #expect(throws: DataError.self) { try vocabulary.decode([identifier]) }
            #expect(error?.code == .unknownIdentifier)
        }
    }

    @Test func limitsOutOfRangeAreRefused() throws {
        #expect(throws: DataError.self) { try Vocabulary(of: "", tokenization: .characters) }
        #expect(throws: DataError.self) { try Vocabulary(of: "a", tokenization: .words, minimumCount: 0) }
        #expect(throws: DataError.self) { try Vocabulary(of: "a", tokenization: .words, maximumSize: 2) }
        #expect(throws: DataError.self) { try Vocabulary(of: "a", tokenization: .characters, minimumCount: 2) }
        #expect(throws: DataError.self) { try Vocabulary(of: "a", tokenization: .characters, maximumSize: 10) }
    }

    @Test(arguments: Tokenization.allCases) func aVocabularySurvivesJSON(tokenization: Tokenization) throws {
        let vocabulary = try Vocabulary(of: "It's a \"test\" \u{212B}\u{C5}\n", tokenization: tokenization)
        let copy = try JSONDecoder().decode(Vocabulary.self, from: JSONEncoder().encode(vocabulary))
        #expect(copy == vocabulary)
        #expect(try copy.encode("a\n") == vocabulary.encode("a\n"))
    }

    @Test(arguments: [
        #"{"tokenization":"chars","tokens":["a","a"]}"#, #"{"tokenization":"chars","tokens":["ab"]}"#,
        #"{"tokenization":"chars","tokens":[""]}"#, #"{"tokenization":"chars","tokens":[]}"#,
        #"{"tokenization":"words","tokens":["a"]}"#, #"{"tokenization":"words","tokens":["<unk>","<eos>","a","a"]}"#,
    ])
    func aStoredVocabularyThatContradictsItselfIsRefused(text: String) {
        let error = #expect(throws: DataError.self) { try JSONDecoder().decode(Vocabulary.self, from: Data(text.utf8)) }
        #expect(error?.code == .malformedVocabulary)
    }
}
