import BatonData
import Foundation
import Testing

@Suite struct TextCorpusTests {
    @Test(arguments: [(0.0, 10), (0.1, 9), (0.25, 7), (0.99, 0)]) func theSplitIsByPosition(
        fraction: Double, training: Int
    ) throws {
        let corpus = try TextCorpus(text: "abcdefghij", tokenization: .characters, validationFraction: fraction)
        #expect(corpus.training == Array(0..<Int32(training)))
        #expect(corpus.validation == Array(Int32(training)..<10))
        #expect(corpus.vocabulary.count == 10)
    }

    @Test(arguments: [-0.1, 1, 1.5, .nan, .infinity]) func fractionsOutOfRangeAreRefused(fraction: Double) {
        let error = #expect(throws: DataError.self) {
            try TextCorpus(text: "abc", tokenization: .characters, validationFraction: fraction)
        }
        #expect(error?.code == .outOfRange)
    }

    @Test func whiteSpaceAloneHasNoWords() {
        let error = #expect(throws: DataError.self) {
            try TextCorpus(text: "  \t ", tokenization: .words, validationFraction: 0)
        }
        #expect(error?.code == .empty)
    }

    @Test func anExistingVocabularyIsUsedAsItIs() throws {
        let vocabulary = try Vocabulary(of: "zyx", tokenization: .characters)
        let corpus = try TextCorpus(text: "xyzzy", vocabulary: vocabulary, validationFraction: 0.4)
        #expect(corpus.training == [0, 1, 2])
        #expect(corpus.validation == [2, 1])
    }

    /// `shared/data` beside the repository, or nil.
    static let tinyShakespeare: String? = {
        var directory = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { directory.deleteLastPathComponent() }
        let path = directory.appendingPathComponent("../shared/data/tinyshakespeare.txt").standardizedFileURL.path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    @Test(.enabled(if: tinyShakespeare != nil, "tinyshakespeare.txt is not in shared/data beside the repository"))
    func tinyShakespeareHas65CharactersAndComesBackExactly() throws {
        let path = try #require(Self.tinyShakespeare)
        let text = try TextSource.read(paths: [path])
        let corpus = try TextCorpus(text: text, tokenization: .characters, validationFraction: 0.1)
        #expect(corpus.vocabulary.count == 65)
        #expect(corpus.training.count == 1_003_854)
        #expect(corpus.validation.count == 111_540)
        let decoded = try corpus.vocabulary.decode(corpus.training + corpus.validation)
        // Compared outside the expectation, which would print both texts.
        let isSame = decoded == text
        #expect(isSame)
        let words = try TextCorpus(text: text, tokenization: .words, validationFraction: 0.1)
        #expect(Array(words.vocabulary.tokens.prefix(6)) == ["<unk>", "<eos>", ",", ":", ".", "the"])
    }
}
