import BatonFormats
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct SafetensorsMalformationTests {
    /// A file of the given header, as many zero bytes as wanted, and the right header length unless another is claimed.
    static func file(_ header: String, data: Int = 0, claimed: UInt64? = nil) -> [UInt8] {
        file(Array(header.utf8), data: data, claimed: claimed)
    }

    static func file(_ header: [UInt8], data: Int, claimed: UInt64? = nil) -> [UInt8] {
        let length = claimed ?? UInt64(header.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
            + [UInt8](repeating: 0, count: data)
    }

    /// A tensor "x" of two float32, with one part replaced.
    static func entry(
        dtype: String = "\"F32\"", shape: String = "[2]", offsets: String = "[0,8]", extra: String = ""
    ) -> String {
        "{\"x\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)\(extra)}}"
    }

    /// Two tensors of two float32 each at the given offsets.
    static func pair(_ first: String, _ second: String) -> String {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":\(first)},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":\(second)}}"
    }

    static let files: [Malformation] = [
        Malformation("an empty file", .tooShort, []),
        Malformation("seven bytes", .tooShort, [2, 0, 0, 0, 0, 0, 0]),
        Malformation("a header length beyond the file", .headerBeyondFile, file("{}", claimed: 3)),
        Malformation("a header length of 100 MB and one byte", .headerTooLong, file("{}", claimed: 100_000_001)),
        Malformation("a header length of 2^63", .headerTooLong, file("{}", claimed: 1 << 63)),
        Malformation("a header length of 2^64 - 1", .headerTooLong, file("{}", claimed: .max)),
        Malformation("a header that is not UTF-8", .headerNotUTF8, file([0x7B, 0xFF, 0x7D], data: 0)),
        Malformation("an overlong UTF-8 sequence", .headerNotUTF8, file([0x7B, 0xC0, 0x80, 0x7D], data: 0)),
        Malformation("an empty header", .headerNotJSON, file("")),
        Malformation("an open object", .headerNotJSON, file("{")),
        Malformation("an open string", .headerNotJSON, file("{\"x")),
        Malformation("a comma without a member", .headerNotJSON, file("{,}")),
        Malformation("a trailing comma", .headerNotJSON, file(#"{"__metadata__":{"a":"b",}}"#)),
        Malformation("no colon", .headerNotJSON, file(#"{"x" 1}"#)),
        Malformation("a name without quotes", .headerNotJSON, file("{x:1}")),
        Malformation("a line break in a string", .headerNotJSON, file("{\"__metadata__\":{\"a\":\"\n\"}}")),
        Malformation("an unknown escape", .headerNotJSON, file(#"{"__metadata__":{"a":"\q"}}"#)),
        Malformation("half a surrogate pair", .headerNotJSON, file(#"{"__metadata__":{"a":"\ud800"}}"#)),
        Malformation("a low surrogate alone", .headerNotJSON, file(#"{"__metadata__":{"a":"\udc00"}}"#)),
        Malformation("a leading zero", .headerNotJSON, file(entry(shape: "[02]"), data: 8)),
        Malformation("two JSON texts", .headerNotJSON, file("{}{}")),
        Malformation("NUL bytes as padding", .headerNotJSON, file("{}\0\0")),
        Malformation("an array as header", .headerNotObject, file("[]")),
        Malformation("a string as header", .headerNotObject, file("\"x\"")),
        Malformation("a number as header", .headerNotObject, file("0")),
        Malformation("null as header", .headerNotObject, file("null")),
        Malformation(
            "two tensors of one name", .duplicateName,
            file(pair("[0,8]", "[8,16]").replacing("\"b\"", with: "\"a\""), data: 16)),
        Malformation(
            "two tensors of one name, once escaped", .duplicateName,
            file(pair("[0,8]", "[8,16]").replacing("\"b\"", with: #""\u0061""#), data: 16)),
        Malformation("two dtypes", .duplicateName, file(entry(extra: ",\"dtype\":\"F32\""), data: 8)),
        Malformation("two __metadata__", .duplicateName, file(#"{"__metadata__":{},"__metadata__":{}}"#)),
        Malformation("two metadata of one key", .duplicateName, file(#"{"__metadata__":{"a":"b","a":"c"}}"#)),
        Malformation("metadata that is no object", .malformedMetadata, file(#"{"__metadata__":[]}"#)),
        Malformation("metadata that is no string", .malformedMetadata, file(#"{"__metadata__":{"a":1}}"#)),
        Malformation("an unknown dtype", .unknownDType, file(entry(dtype: "\"F33\""), data: 8)),
        Malformation("a dtype in lower case", .unknownDType, file(entry(dtype: "\"f32\""), data: 8)),
        Malformation("a dtype that is no string", .malformedEntry, file(entry(dtype: "32"), data: 8)),
        Malformation("a tensor that is no object", .malformedEntry, file(#"{"x":[]}"#)),
        Malformation("a tensor without members", .malformedEntry, file(#"{"x":{}}"#)),
        Malformation("an unknown member", .malformedEntry, file(entry(extra: ",\"stride\":[1]"), data: 8)),
        Malformation("a shape that is no array", .malformedEntry, file(entry(shape: "2"), data: 8)),
        Malformation("a fractional dimension", .malformedEntry, file(entry(shape: "[2.0]"), data: 8)),
        Malformation("an exponent as dimension", .malformedEntry, file(entry(shape: "[2e0]"), data: 8)),
        Malformation("a nested shape", .malformedEntry, file(entry(shape: "[[2]]"), data: 8)),
        Malformation("one offset", .malformedEntry, file(entry(offsets: "[0]"), data: 8)),
        Malformation("three offsets", .malformedEntry, file(entry(offsets: "[0,8,8]"), data: 8)),
        Malformation("a negative offset", .malformedEntry, file(entry(offsets: "[-8,0]"), data: 8)),
        Malformation("a negative dimension", .negativeDimension, file(entry(shape: "[-2]"), data: 8)),
        Malformation(
            "65 dimensions", .tooManyDimensions,
            file(entry(shape: "[\([String](repeating: "1", count: 65).joined(separator: ","))]"), data: 8)),
        Malformation("a dimension of 2^63", .sizeOverflow, file(entry(shape: "[9223372036854775808]"), data: 8)),
        Malformation(
            "a dimension of 30 digits", .sizeOverflow, file(entry(shape: "[1\(String(repeating: "0", count: 29))]"))),
        Malformation(
            "dimensions whose product overflows", .sizeOverflow,
            file(entry(shape: "[4294967296,4294967296]"), data: 8)),
        Malformation(
            "a byte count that overflows", .sizeOverflow, file(entry(shape: "[4611686018427387904]"), data: 8)),
        Malformation(
            "an overflow hidden behind a zero", .sizeOverflow,
            file(entry(shape: "[0,4294967296,4294967296]", offsets: "[0,0]"))),
        Malformation("reversed offsets", .offsetsReversed, file(entry(offsets: "[8,0]"), data: 8)),
        Malformation("offsets beyond the file", .offsetsBeyondFile, file(entry(), data: 7)),
        Malformation(
            "an offset of 2^64", .offsetsBeyondFile, file(entry(offsets: "[0,18446744073709551616]"), data: 8)),
        Malformation("a shape larger than the bytes", .sizeMismatch, file(entry(shape: "[3]"), data: 8)),
        Malformation("a shape smaller than the bytes", .sizeMismatch, file(entry(shape: "[1]"), data: 8)),
        Malformation("a dtype larger than the bytes", .sizeMismatch, file(entry(dtype: "\"F64\""), data: 8)),
        Malformation("two tensors at the same bytes", .overlappingTensors, file(pair("[0,8]", "[0,8]"), data: 8)),
        Malformation("two tensors that share bytes", .overlappingTensors, file(pair("[0,8]", "[4,12]"), data: 12)),
        Malformation("a hole between tensors", .holeBetweenTensors, file(pair("[0,8]", "[12,20]"), data: 20)),
        Malformation("a hole before the first tensor", .holeBetweenTensors, file(entry(offsets: "[4,12]"), data: 12)),
        Malformation("bytes after the last tensor", .trailingBytes, file(entry(), data: 9)),
        Malformation("bytes and no tensor", .trailingBytes, file("{}", data: 1)),
        Malformation(
            "a name that would write to the terminal", .sizeMismatch,
            file(entry(shape: "[3]").replacing("\"x\"", with: #""\u001b[31m\n\u0007""#), data: 8)),
        Malformation(
            "a name of a megabyte", .sizeMismatch,
            file(entry(shape: "[3]").replacing("\"x\"", with: "\"\(String(repeating: "n", count: 1 << 20))\""), data: 8)
        ),
    ]

    @Test(arguments: files) func isRefused(_ file: Malformation) {
        file.expectRefusal { bytes, name throws(FormatError) in
            _ = try SafetensorsReader(bytes: bytes, name: name)
        }
    }

    /// The refusals above are due to the lie: without it the same files are read.
    @Test func theFilesWithoutTheLieAreRead() throws {
        for header in [Self.entry(), Self.entry() + "      ", Self.entry(dtype: "\"F\\u00332\"")] {
            let reader = try SafetensorsReader(bytes: Self.file(header, data: 8), name: "some.file")
            #expect(try reader.tensor("x").elements(as: Float.self) == [0, 0])
        }
        for header in [Self.pair("[0,8]", "[8,16]"), Self.pair("[8,16]", "[0,8]")] {
            #expect(try SafetensorsReader(bytes: Self.file(header, data: 16), name: "some.file").all().count == 2)
        }
        #expect(try SafetensorsReader(bytes: Self.file("{}"), name: "some.file").all().isEmpty)
    }

    @Test func aTypeWithoutTensorIsRefusedWhenItIsReadOnly() throws {
        let reader = try SafetensorsReader(
            bytes: Self.file(Self.entry(dtype: "\"U64\"", offsets: "[0,16]"), data: 16), name: "some.file")
        #expect(reader.header.entries.map(\.dtype) == [.uint64])
        Malformation("", .unsupportedDType, []).expectRefusal { _, _ throws(FormatError) in _ = try reader.tensor("x") }
    }

    /// No mutation of a valid file crashes the reader, and what it accepts is consistent.
    @Test(arguments: 0..<4) func survivesMutation(seed: Int) {
        let header =
            #"{"__metadata__":{"k":"v\u00e9"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
            + #""b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"#
            + #""c":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}"#
        let valid = Self.file(header, data: 40)
        let words = [
            "{", "}", "[", "]", "\"", "\\u", ",", "-1", "1e9", "9223372036854775807", "F64", "BOOL", "null", "\0",
        ]
        var generator = MutationGenerator(state: UInt64(seed))
        var accepted = 0
        for _ in 0..<2_500 {
            let bytes = generator.mutate(valid, headerByteCount: 8 + header.utf8.count, words: words)
            do throws(FormatError) {
                let reader = try SafetensorsReader(bytes: bytes, name: "mutated")
                let spans = reader.header.entries.map(\.range)
                #expect(spans.reduce(0) { $0 + $1.count } <= bytes.count)
                for entry in reader.header.entries where entry.dtype.tensorDType != nil {
                    #expect(try reader.tensor(entry.name).shape == entry.shape)
                }
                accepted += 1
            } catch {
                #expect(error.message.hasPrefix("mutated"))
            }
        }
        // Harmless injuries (to data, to names) exist, so the loop saw both outcomes.
        #expect(accepted > 0 && accepted < 2_500)
    }
}
