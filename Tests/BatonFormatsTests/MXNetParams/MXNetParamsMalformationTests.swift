import BatonFormats
import BatonTensor
import BatonTestSupport
import Testing

@Suite struct MXNetParamsMalformationTests {
    private static func word<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
    }

    /// An array of version 2, two float32 unless told otherwise; every field can lie.
    private static func array(
        magic: UInt32 = 0xF993_FAC9, storage: Int32? = 0, rank: Int32? = nil, shape: [Int64] = [2], dtype: Int32 = 0,
        data: Int = 8
    ) -> [UInt8] {
        word(magic) + (storage.map { word($0) } ?? []) + word(rank ?? Int32(shape.count)) + shape.flatMap { word($0) }
            + word(Int32(1)) + word(Int32(0)) + word(dtype) + [UInt8](repeating: 0, count: data)
    }

    private static func file(
        _ arrays: [[UInt8]] = [array()], count: UInt64? = nil, names: [[UInt8]]? = [Array("x".utf8)],
        nameCount: UInt64? = nil, magic: UInt64 = 0x112
    ) -> [UInt8] {
        word(magic) + word(UInt64(0)) + word(count ?? UInt64(arrays.count)) + arrays.flatMap { $0 }
            + word(nameCount ?? UInt64(names?.count ?? 0))
            + (names ?? []).flatMap { word(UInt64($0.count)) + $0 }
    }

    static let files: [Malformation] = [
        Malformation("nothing", .truncatedRecord, []),
        Malformation("half a magic number", .truncatedRecord, [0x12, 1, 0, 0]),
        Malformation("another magic number", .notMXNetParams, file(magic: 0x113)),
        Malformation("no count", .truncatedRecord, Array(file().prefix(20))),
        Malformation("more arrays than bytes", .countBeyondFile, file(count: .max)),
        Malformation("one array more than there is", .tooManyDimensions, file(count: 2, names: nil, nameCount: .max)),
        Malformation("an array cut short", .truncatedRecord, Array(file().prefix(60))),
        Malformation("a rank of 65", .tooManyDimensions, file([array(shape: [Int64](repeating: 1, count: 65))])),
        Malformation("a rank of 2^31", .tooManyDimensions, file([array(rank: .max)])),
        Malformation("a rank of -1", .negativeDimension, file([array(rank: -1)])),
        Malformation("a rank of -2 by NumPy's rules", .negativeDimension, file([array(magic: 0xF993_FACA, rank: -2)])),
        Malformation("a dimension of -1", .negativeDimension, file([array(shape: [-1])])),
        Malformation("a shape of exabytes", .sizeOverflow, file([array(shape: [1 << 40, 1 << 40])])),
        Malformation("one that only a zero would save", .sizeOverflow, file([array(shape: [0, 1 << 40, 1 << 40])])),
        Malformation("a shape of terabytes", .truncatedRecord, file([array(shape: [1 << 40])])),
        Malformation("type 13", .unknownDType, file([array(dtype: 13)])),
        Malformation("type -1", .unknownDType, file([array(dtype: -1)])),
        Malformation("storage 3", .malformedRecord, file([array(storage: 3)])),
        Malformation("storage -1", .malformedRecord, file([array(storage: -1)])),
        Malformation("row_sparse", .sparseArray, file([array(storage: 1)])),
        Malformation("csr", .sparseArray, file([array(storage: 2)])),
        Malformation("the first version's rank of 65", .tooManyDimensions, file([word(UInt32(65))])),
        Malformation("more names than arrays", .malformedRecord, file(names: [Array("x".utf8), Array("y".utf8)])),
        Malformation("more names than bytes", .countBeyondFile, file(nameCount: 1 << 60)),
        Malformation(
            "a name longer than the file", .countBeyondFile, Array(file(names: nil, nameCount: 1)) + word(UInt64.max)),
        Malformation("a name that is not UTF-8", .malformedRecord, file(names: [[0xFF]])),
        Malformation(
            "a name twice", .duplicateName, file([array(), array()], names: [Array("x".utf8), Array("x".utf8)])),
        Malformation(
            "a name that steers the terminal twice", .duplicateName,
            file([array(), array()], names: [[0x1B, 0x0A], [0x1B, 0x0A]])),
    ]

    @Test(arguments: files) func isRefused(_ file: Malformation) {
        file.expectRefusal { bytes, name throws(FormatError) in
            _ = try MXNetParamsReader(bytes: bytes, name: name)
        }
    }

    /// The refusals above are due to the lie: without it the same file is read.
    @Test func theFileWithoutTheLieIsRead() throws {
        let reader = try MXNetParamsReader(bytes: Self.file(), name: "some.file")
        #expect(try reader.tensor("x").elements(as: Float.self) == [0, 0])
    }

    @Test func arraysWithoutValuesAreListedAndRefusedWhenRead() throws {
        let none = Self.word(UInt32(0xF993_FAC9)) + Self.word(Int32(0)) + Self.word(Int32(0))
        let names = [Array("none".utf8), Array("x".utf8)]
        let reader = try MXNetParamsReader(bytes: Self.file([none, Self.array()], names: names), name: "some.file")
        #expect(reader.header.entries.map(\.shape) == [nil, [2]])
        #expect(try reader.all().names == ["x"])
        Malformation("", .valuelessArray, []).expectRefusal { _, _ throws(FormatError) in _ = try reader.tensor("none")
        }
        Malformation("", .missingTensor, []).expectRefusal { _, _ throws(FormatError) in _ = try reader.tensor("y") }
    }

    @Test func integersThatNoTensorCanHoldAreRefused() throws {
        let prefix = Self.array(shape: [1], dtype: 11, data: 0)
        for (value, fits) in [(UInt64(1) << 63 - 1, true), (UInt64(1) << 63, false)] {
            let reader = try MXNetParamsReader(bytes: Self.file([prefix + Self.word(value)]), name: "some.file")
            if fits {
                #expect(try reader.tensor("x").elements(as: Int64.self) == [Int64(value)])
            } else {
                Malformation("", .unsupportedDType, []).expectRefusal { _, _ throws(FormatError) in
                    _ = try reader.tensor("x")
                }
            }
        }
    }

    /// Types 1.9.1 can neither write nor read, but names.
    @Test func integersOfTwoAndFourBytesAreWidened() throws {
        func read(_ dtype: Int32, _ data: [UInt8]) throws -> Tensor {
            let array = Self.array(dtype: dtype, data: 0) + data
            return try MXNetParamsReader(bytes: Self.file([array]), name: "some.file").tensor("x")
        }
        #expect(try read(8, Self.word(Int16.min) + Self.word(Int16(7))).elements(as: Int32.self) == [-32768, 7])
        #expect(try read(9, Self.word(UInt16.max) + Self.word(UInt16(7))).elements(as: Int32.self) == [65535, 7])
        #expect(
            try read(10, Self.word(UInt32.max) + Self.word(UInt32(7))).elements(as: Int64.self) == [4_294_967_295, 7])
    }
}
