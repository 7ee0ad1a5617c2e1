import BatonTestSupport
import Foundation
import Testing

@Suite struct GoldenFileTests {
    private func file(_ header: String, _ bytes: [UInt8]) throws -> GoldenFile {
        try GoldenFile(Data(header.utf8) + Data(bytes), name: "test")
    }

    /// 1.5 as f32 and −2 as f64, little-endian.
    private let bytes: [UInt8] = [0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]

    @Test func `notes and tensors are read in order`() throws {
        let golden = try file("golden 1\nnote library made up\ntensor a f32 1\ntensor b f64 1 1\nend\n", bytes)
        #expect(golden.notes == ["library": "made up"])
        #expect(try golden.tensor("a").values == [1.5])
        #expect(try golden.tensor("b").values == [-2])
        #expect(try golden.tensor("b").shape == [1, 1])
        #expect(throws: GoldenFile.Problem.self) { try golden.tensor("c") }
    }

    @Test(arguments: [
        "golden 2\nend\n", "golden 1\ntensor a f32 3", "golden 1\ntensor a f32 9\nend\n",
        "golden 1\ntensor a f32 1\nend\n", "golden 1\ntensor a f16 1\nend\n", "golden 1\ntensor a f32 x\nend\n",
        "golden 1\ntensor a f32 -3\nend\n",
    ])
    func `a damaged file is refused`(header: String) {
        #expect(throws: GoldenFile.Problem.self) { try file(header, bytes) }
    }
}
