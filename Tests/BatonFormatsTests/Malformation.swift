import BatonFormats
import Testing

/// A malformed file: what is wrong with it, its bytes, and the error it must meet.
struct Malformation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let code: FormatError.Code

    init(_ description: String, _ code: FormatError.Code, _ bytes: [UInt8]) {
        testDescription = description
        self.bytes = bytes
        self.code = code
    }

    /// Expects `read` to throw the error with a message of one sentence that names the file.
    func expectRefusal(
        sourceLocation: SourceLocation = #_sourceLocation, by read: ([UInt8], String) throws(FormatError) -> Void
    ) {
        do throws(FormatError) {
            try read(bytes, "some.file")
            Issue.record("read without complaint", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            #expect(error.message.hasPrefix("some.file"), sourceLocation: sourceLocation)
            #expect(error.message.hasSuffix("."), sourceLocation: sourceLocation)
            #expect(error.message.contains(";"), "no remedy in: \(error)", sourceLocation: sourceLocation)
            #expect(!error.message.contains("\n") && !error.message.contains("\u{1B}"), sourceLocation: sourceLocation)
            #expect(error.message.utf8.count < 700, sourceLocation: sourceLocation)
        }
    }
}
