import BatonFormats
import Foundation
import Testing

@Suite struct SHA256DigestTests {
    /// FIPS 180-4 example "abc".
    private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test func bytesHaveTheDigestOfTheStandard() {
        #expect(SHA256Digest(of: Array("abc".utf8)).description == abc)
    }

    @Test func aFileLongerThanOnePieceHasTheDigestOfItsBytes() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let bytes = (0..<(1 << 20) + 12_345).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try Data(bytes).write(to: URL(fileURLWithPath: directory.file("x")))
        #expect(try SHA256Digest(ofFile: directory.file("x")) == SHA256Digest(of: bytes))
    }

    @Test func aDigestSurvivesJSON() throws {
        let digest = SHA256Digest(of: [1, 2, 3])
        let text = try JSONEncoder().encode([digest])
        #expect(try JSONDecoder().decode([SHA256Digest].self, from: text) == [digest])
    }

    @Test(arguments: ["", "ba78", String(repeating: "g", count: 64), String(repeating: "A", count: 64)])
    func otherTextsAreRefused(text: String) {
        let error = #expect(throws: FormatError.self) { try SHA256Digest(hexadecimal: text) }
        #expect(error?.code == .malformedDigest)
    }

    @Test func missingFilesDirectoriesAndPipesAreRefused() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let missing = #expect(throws: FormatError.self) { try SHA256Digest(ofFile: directory.file("x")) }
        #expect(missing?.code == .cannotOpen)
        let folder = #expect(throws: FormatError.self) { try SHA256Digest(ofFile: directory.path) }
        #expect(folder?.code == .notARegularFile)
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        let pipe = #expect(throws: FormatError.self) { try SHA256Digest(ofFile: directory.file("pipe")) }
        #expect(pipe?.code == .notARegularFile)
    }
}
