import BatonFormats
import BatonTensor
import Foundation
import Testing

@Suite struct MXNetParamsFileTests {
    private func read(_ name: String) throws -> MXNetParamsReader {
        try MXNetParamsReader(path: golden("MXNet/" + name))
    }

    /// Every byte of parity 4.1's example.
    @Test func theDocumentedExampleIsReadAndWritten() throws {
        let reader = try read("example.params")
        #expect(reader.header.entries.map(\.name) == ["w", "_unfused.0.i2h_bias"])
        #expect(reader.header.entries.map(\.dtype) == [.float32, .float64])
        #expect(reader.header.entries.map(\.shape) == [[2, 3], [2]])
        #expect(try reader.tensor("w").elements(as: Float.self) == [1, 2, 3, 4, 5, 6])
        #expect(try reader.tensor("_unfused.0.i2h_bias").elements(as: Double.self) == [1, -2])
        #expect(reader.header.trailingByteCount == 0 && reader.header.hasNames)
    }

    @Test func everyTypeMXNetWritesIsReadExactly() throws {
        let tensors = try read("types.params").all()
        let row: [Double] = [1, 2, 3, 4, 5, 6]
        #expect(tensors["arg:float32"]?.elements(as: Float.self) == row.map { Float($0 / 4) })
        #expect(tensors["arg:float64"]?.elements(as: Double.self) == row.map { $0 / 8 })
        #expect(tensors["aux:float16"]?.elements(as: Float.self) == row.map { Float(Float16($0 / 16 - 0.1)) })
        #expect(tensors["uint8"]?.elements(as: Int32.self) == [0, 200, 255])
        #expect(tensors["int32"]?.elements(as: Int32.self) == [.min, .max])
        #expect(tensors["int8"]?.elements(as: Int32.self) == [-128, 127])
        #expect(tensors["int64"]?.elements(as: Int64.self) == [-(1 << 62), 1 << 62])
        #expect(tensors["bool"]?.elements(as: Int32.self) == [0, 1, 1])
        #expect(tensors["é 名"]?.shape == [1, 1, 1])
        #expect(tensors.count == 9)
    }

    @Test func allVersionsAreRead() throws {
        for name in ["version0.params", "version1.params"] {
            let reader = try read(name)
            #expect(try reader.tensor("a").elements(as: Float.self) == [1, 2, 3, 4, 5, 6])
            #expect(try reader.tensor("a").shape == [2, 3])
            #expect(try reader.tensor("b").elements(as: Double.self) == [1, 2, 3])
            #expect(reader.header.trailingByteCount == (name == "version1.params" ? 4 : 0))
        }
        let numpy = try read("version3.params").all()
        #expect(numpy["s"]?.shape == [] && numpy["s"]?.elements(as: Float.self) == [2.5])
        #expect(numpy["n"]?.shape == [0, 3])
        #expect(numpy["a"]?.elements(as: Float.self) == [1, 2, 3, 4, 5, 6])
        #expect(try read("bfloat16.params").tensor("a").elements(as: Float.self) == [1, 2, 3, 4, 5, 6])
    }

    @Test func arraysWithoutNamesAreNumbered() throws {
        let reader = try read("list.params")
        #expect(!reader.header.hasNames && reader.header.entries.map(\.name) == ["0", "1"])
        #expect(try reader.tensor("1").elements(as: Int32.self) == [9])
        #expect(try read("empty.params").all().isEmpty)
    }

    @Test func sparseArraysAreRefusedWithTheRemedy() {
        for (name, storage) in [("sparse.params", "row_sparse"), ("csr.params", "csr")] {
            let error = #expect(throws: FormatError.self) { _ = try read(name) }
            #expect(error?.code == .sparseArray)
            #expect(error?.message.contains(storage) == true && error?.message.contains("tostype") == true)
        }
    }

    /// The same tensors in the same order give the file MXNet 1.9.1 wrote.
    @Test(arguments: ["example.params", "written.params", "empty.params", "lstm_block.params", "lstm_names.params"])
    func whatIsWrittenIsWhatMXNetWrites(name: String) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try MXNetParamsWriter.write(read(name).all(), to: directory.file(name))
        #expect(try content(of: directory.file(name)) == content(of: golden("MXNet/" + name)))
    }

    @Test func aScalarCannotBeWritten() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var tensors = NamedTensors()
        tensors["s"] = Tensor([1] as [Float], shape: [])
        let error = #expect(throws: FormatError.self) {
            _ = try MXNetParamsWriter.write(tensors, to: directory.file("x.params"))
        }
        #expect(error?.code == .scalarArray)
        #expect(try directory.names().isEmpty)
    }

    @Test func theFormatOfAFileIsRecognizedByItsContent() throws {
        let params = try TensorFile(path: golden("MXNet/types.params"))
        #expect(params.format == .params && params.entries.count == 9)
        #expect(params.entries[2].dtype == "float16" && params.entries[2].tensorDType == .float32)
        #expect(params.entries[2].byteCount == 12 && params.byteCount == 614)
        #expect(try params.tensor("int8").dtype == .int32)
        let safetensors = try TensorFile(path: golden("python.safetensors"))
        #expect(safetensors.format == .safetensors && safetensors.metadata["note"] != nil)
        // A safetensors header of 0x112 bytes starts as a list of arrays does.
        let header = "{" + String(repeating: " ", count: 0x112 - 2) + "}"
        #expect(try TensorFile(bytes: [0x12, 1, 0, 0, 0, 0, 0, 0] + header.utf8, name: "x").format == .safetensors)
    }
}
