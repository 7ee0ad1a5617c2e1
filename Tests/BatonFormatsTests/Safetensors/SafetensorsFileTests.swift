import BatonFormats
import BatonTensor
import BatonTestSupport
import Foundation
import Testing

@Suite struct SafetensorsFileTests {
    @Test func readsWhatPythonWrote() throws {
        let reader = try SafetensorsReader(path: golden("python.safetensors"))
        #expect(reader.header.metadata["note"] == "line\nbreak \"é\"")
        #expect(reader.header.entries.count == 10)
        let row: [Double] = [0, 1, 2, 3, 4, 5]
        #expect(try reader.tensor("single").elements(as: Float.self) == row.map { Float($0 / 4) })
        #expect(try reader.tensor("single").shape == [2, 3])
        #expect(try reader.tensor("double").elements(as: Double.self) == row.map { $0 / 8 })
        #expect(try reader.tensor("int").elements(as: Int32.self) == [-3, -2, -1, 0, 1, 2])
        #expect(try reader.tensor("long").elements(as: Int64.self) == row.map { Int64($0) * 1_000_000_000_000 })
        #expect(try reader.tensor("scalar").shape == [])
        #expect(try reader.tensor("scalar").elements(as: Float.self) == [2.5])
        #expect(try reader.tensor("empty").shape == [0, 4])
        #expect(try reader.tensor("quoted \"name\"\\ é").elements(as: Float.self) == [1])
        let widened = try JSONDecoder().decode(
            [String: [Float]].self, from: Data(contentsOf: URL(fileURLWithPath: golden("widened.json"))))
        for name in ["half", "brain"] {
            #expect(try reader.tensor(name).elements(as: Float.self) == widened[name])
        }
        #expect(try reader.tensor("byte").elements(as: Int32.self) == [0, 1, 2, 3, 4, 5])
    }

    /// What Baton has no tensor for does not hinder the others of a file.
    @Test(arguments: [
        ("F4", "[2,3]", 3), ("F6_E2M3", "[4]", 3), ("F6_E3M2", "[8]", 6), ("F8_E4M3FNUZ", "[3]", 3),
        ("F8_E5M2FNUZ", "[3]", 3), ("F8_E8M0", "[3]", 3), ("U64", "[1]", 8), ("C64", "[1]", 8),
    ])
    func otherTypesArePassedOver(dtype: String, shape: String, count: Int) throws {
        let header =
            "{\"x\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":[4,\(4 + count)]},"
            + "\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
        let reader = try SafetensorsReader(
            bytes: SafetensorsMalformationTests.file(header, data: 4 + count), name: "f")
        #expect(try reader.tensor("y").elements(as: Float.self) == [0])
        #expect(throws: FormatError.self) { try reader.tensor("x") }
    }

    /// Every type smaller than the tensors of Baton, at the ends of its range.
    @Test(arguments: [
        ("BOOL", [0, 1, 255] as [UInt8], [0, 1, 1]), ("U8", [0, 128, 255], [0, 128, 255]),
        ("I8", [0, 127, 128], [0, 127, -128]), ("I16", [1, 0, 0xFF, 0x7F, 0, 0x80], [1, 32767, -32768]),
        ("U16", [1, 0, 0xFF, 0x7F, 0, 0x80], [1, 32767, 32768]),
        ("U32", [1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x80], [1, 4_294_967_295, 2_147_483_648]),
    ])
    func smallIntegersAreWidenedExactly(dtype: String, elements: [UInt8], expected: [Int]) throws {
        let header = SafetensorsMalformationTests.entry(
            dtype: "\"\(dtype)\"", shape: "[3]", offsets: "[0,\(elements.count)]")
        let file = SafetensorsMalformationTests.file(header, data: 0) + elements
        let tensor = try SafetensorsReader(bytes: file, name: "some.file").tensor("x")
        let values =
            tensor.dtype == .int64
            ? tensor.elements(as: Int64.self).map { Int($0) } : tensor.elements(as: Int32.self).map { Int($0) }
        #expect(values == expected)
    }

    private func sample() -> NamedTensors {
        var tensors = NamedTensors(metadata: ["b": "2", "a": "quote \" backslash \\ tab \t bell \u{7} é 😀"])
        tensors["z.weight"] = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        tensors["a.bias"] = Tensor([.infinity, -0.0, .leastNonzeroMagnitude] as [Float], shape: [3])
        tensors["count"] = Tensor([Int64.min], shape: [])
        tensors["odd \"name\"\n"] = Tensor([7] as [Int32], shape: [1])
        tensors["none"] = Tensor([] as [Double], shape: [3, 0])
        return tensors
    }

    @Test func whatIsWrittenIsReadBackBitForBit() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let written = sample()
        try SafetensorsWriter.write(written, to: directory.file("x.safetensors"))
        let read = try SafetensorsReader(path: directory.file("x.safetensors")).all()
        #expect(read.metadata == written.metadata)
        #expect(Set(read.names) == Set(written.names))
        for (name, tensor) in written.entries {
            let other = try read.required(name, shape: tensor.shape, dtype: tensor.dtype)
            #expect(memcmp(other.rawPointer, tensor.rawPointer, tensor.byteCount) == 0)
        }
    }

    /// Property: random sets of random tensors survive the trip.
    @Test(arguments: 0..<20) func randomTensorsAreReadBackBitForBit(seed: Int) throws {
        var generator = MutationGenerator(state: UInt64(seed))
        var written = NamedTensors()
        for index in 0..<Int.random(in: 0...12, using: &generator) {
            let shape = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                Int.random(in: 0...5, using: &generator)
            }
            let dtype = DType.allCases.randomElement(using: &generator) ?? .float32
            let tensor = Tensor(uninitialized: shape, dtype: dtype)
            for byte in 0..<tensor.byteCount {
                tensor.rawPointer.storeBytes(
                    of: .random(in: 0...255, using: &generator), toByteOffset: byte, as: UInt8.self)
            }
            written["t\(index)"] = tensor
        }
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try SafetensorsWriter.write(written, to: directory.file("x"))
        let read = try SafetensorsReader(path: directory.file("x")).all()
        #expect(read.count == written.count)
        for (name, tensor) in written.entries {
            let other = try read.required(name, shape: tensor.shape, dtype: tensor.dtype)
            #expect(memcmp(other.rawPointer, tensor.rawPointer, tensor.byteCount) == 0)
        }
    }

    @Test func tensorsLieBySizeThenNameAtAlignedOffsetsBehindAPaddedHeader() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let digest = try SafetensorsWriter.write(sample(), to: directory.file("x"))
        let bytes = try content(of: directory.file("x"))
        #expect(digest == SHA256Digest(of: bytes))
        let reader = try SafetensorsReader(bytes: bytes, name: "x")
        #expect(reader.header.entries.map(\.name) == ["count", "none", "a.bias", "odd \"name\"\n", "z.weight"])
        #expect(reader.header.entries.allSatisfy { $0.range.lowerBound * 8 % $0.dtype.bitCount == 0 })
        #expect(bytes[0] % 8 == 0)
    }

    @Test func theFileDoesNotDependOnTheOrderOfInsertion() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var reversed = NamedTensors(metadata: sample().metadata)
        for (name, tensor) in sample().entries.reversed() { reversed[name] = tensor }
        let first = try SafetensorsWriter.write(sample(), to: directory.file("x"))
        #expect(try SafetensorsWriter.write(reversed, to: directory.file("y")) == first)
    }

    @Test func aReservedNameIsRefusedAndNothingIsWritten() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var tensors = NamedTensors()
        tensors["__metadata__"] = Tensor(zeros: [1])
        let error = #expect(throws: FormatError.self) { try SafetensorsWriter.write(tensors, to: directory.file("x")) }
        #expect(error?.code == .reservedName)
        #expect(try directory.names() == [])
    }

    @Test func aNameTheFileHasNotIsRefused() throws {
        let reader = try SafetensorsReader(path: golden("python.safetensors"))
        let missing = #expect(throws: FormatError.self) { try reader.tensor("nobody") }
        #expect(missing?.code == .missingTensor)
    }

    @Test func aTruncatedFileIsRefusedAtEveryLength() throws {
        let bytes = try content(of: golden("python.safetensors"))
        for length in 0..<bytes.count {
            #expect(throws: FormatError.self) { try SafetensorsReader(bytes: Array(bytes[..<length]), name: "x") }
        }
    }
}
