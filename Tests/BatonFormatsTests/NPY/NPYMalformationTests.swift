import BatonFormats
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct NPYMalformationTests {
    static func file(
        _ text: String, data: Int = 8, version: [UInt8] = [1, 0], claimed: Int? = nil
    ) -> [UInt8] {
        let length = claimed ?? text.utf8.count
        let lengthBytes = (0..<(version[0] == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        return [0x93] + "NUMPY".utf8 + version + lengthBytes + text.utf8 + [UInt8](repeating: 0, count: data)
    }

    static func dictionary(descr: String = "'<f4'", order: String = "False", shape: String = "(2,)") -> String {
        "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }          \n"
    }

    static let files: [Malformation] = [
        Malformation("an empty file", .tooShort, []),
        Malformation("nine bytes", .tooShort, Array(file("").prefix(9))),
        Malformation("version 2 with half a length", .tooShort, Array(file("", data: 0, version: [2, 0]).prefix(11))),
        Malformation("other magic bytes", .notNPY, [0x92] + file(dictionary()).dropFirst()),
        Malformation("a ZIP archive", .notNPY, Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 40)),
        Malformation("version 4", .unknownVersion, file(dictionary(), version: [4, 0])),
        Malformation("version 0", .unknownVersion, file(dictionary(), version: [0, 0])),
        Malformation("version 1.1", .unknownVersion, file(dictionary(), version: [1, 1])),
        Malformation("a header beyond the file", .headerBeyondFile, file(dictionary(), data: 0, claimed: 200)),
        Malformation("a header of 4 GB", .headerTooLong, file(dictionary(), version: [2, 0], claimed: 0xFFFF_FFFF)),
        Malformation("an empty header", .malformedHeader, file("")),
        Malformation("a header of text", .malformedHeader, file("hello")),
        Malformation("an open dictionary", .malformedHeader, file("{'descr': '<f4'")),
        Malformation("an open quote", .malformedHeader, file("{'descr: ")),
        Malformation("no shape", .malformedHeader, file("{'descr': '<f4', 'fortran_order': False}")),
        Malformation("an unknown entry", .malformedHeader, file("{'stride': 3}")),
        Malformation("no comma between entries", .malformedHeader, file("{'descr': '<f4' 'fortran_order': False}")),
        Malformation("text after the dictionary", .malformedHeader, file(dictionary() + "x")),
        Malformation("a shape that is no tuple", .malformedHeader, file(dictionary(shape: "(2)"))),
        Malformation("a list as shape", .malformedHeader, file(dictionary(shape: "[2]"))),
        Malformation("a fractional dimension", .malformedHeader, file(dictionary(shape: "(2.0,)"))),
        Malformation("no comma between dimensions", .malformedHeader, file(dictionary(shape: "(1 2)"))),
        Malformation("an order that is no boolean", .malformedHeader, file(dictionary(order: "0"))),
        Malformation("an escape", .malformedHeader, file(dictionary(descr: "'\\x3cf4'"))),
        Malformation("two shapes", .duplicateName, file("{'shape': (2,), 'shape': (2,)}")),
        Malformation("a negative dimension", .negativeDimension, file(dictionary(shape: "(-2,)"))),
        Malformation(
            "65 dimensions", .tooManyDimensions, file(dictionary(shape: "(\(String(repeating: "1, ", count: 65)))"))),
        Malformation("a dimension of 2^63", .sizeOverflow, file(dictionary(shape: "(9223372036854775808,)"))),
        Malformation("a product that overflows", .sizeOverflow, file(dictionary(shape: "(4294967296, 4294967296)"))),
        Malformation(
            "an overflow hidden behind a zero", .sizeOverflow,
            file(dictionary(shape: "(0, 4294967296, 4294967296)"), data: 0)),
        Malformation("big-endian elements", .bigEndian, file(dictionary(descr: "'>f4'"))),
        Malformation("half precision", .unsupportedDType, file(dictionary(descr: "'<f2'"))),
        Malformation("Python objects", .unsupportedDType, file(dictionary(descr: "'|O'"))),
        Malformation("records", .unsupportedDType, file(dictionary(descr: "[('a', '<f4')]"))),
        Malformation("too few elements", .truncatedData, file(dictionary(), data: 7)),
        Malformation("a shape of terabytes", .truncatedData, file(dictionary(shape: "(1099511627776,)"))),
        Malformation("too many elements", .trailingBytes, file(dictionary(), data: 9)),
    ]

    @Test(arguments: files) func isRefused(_ file: Malformation) {
        file.expectRefusal { bytes, name throws(FormatError) in _ = try NPYFile.read(bytes: bytes, name: name) }
    }

    @Test func theFileWithoutTheLieIsRead() throws {
        for version in [[1, 0], [2, 0], [3, 0]] as [[UInt8]] {
            let tensor = try NPYFile.read(bytes: Self.file(Self.dictionary(), version: version), name: "some.file")
            #expect(tensor.elements(as: Float.self) == [0, 0])
        }
    }

    /// No mutation of a valid file crashes the reader, and what it accepts is consistent.
    @Test(arguments: 0..<4) func survivesMutation(seed: Int) {
        let text = Self.dictionary(order: seed % 2 == 0 ? "True" : "False", shape: "(2, 3, 1)")
        let valid = Self.file(text, data: 24)
        let words = [
            "{", "}", "(", ")", "'", ",", "-1", "9223372036854775807", "True", "<f8", "<i4", "|O", "\0", "'shape'",
        ]
        var generator = MutationGenerator(state: UInt64(seed))
        var accepted = 0
        for _ in 0..<2_500 {
            let bytes = generator.mutate(valid, headerByteCount: 10 + text.utf8.count, words: words)
            do throws(FormatError) {
                let tensor = try NPYFile.read(bytes: bytes, name: "mutated")
                #expect(tensor.byteCount <= bytes.count)
                accepted += 1
            } catch {
                #expect(error.message.hasPrefix("mutated"))
            }
        }
        #expect(accepted > 0 && accepted < 2_500)
    }
}
