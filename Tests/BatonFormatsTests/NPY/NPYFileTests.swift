import BatonTensor
import Foundation
import Testing

@testable import BatonFormats

@Suite struct NPYFileTests {
    @Test(arguments: ["c", "fortran"], DType.allCases) func readsWhatNumPyWrote(order: String, dtype: DType) throws {
        let type = [DType.float32: "f4", .float64: "f8", .int32: "i4", .int64: "i8"][dtype] ?? ""
        let tensor = try NPYFile.read(path: golden("\(order)_\(type).npy"))
        #expect(tensor.shape == [2, 3, 4])
        #expect(tensor.dtype == dtype)
        let values =
            switch dtype {
            case .float32: tensor.elements(as: Float.self).map(Double.init)
            case .float64: tensor.elements(as: Double.self)
            case .int32: tensor.elements(as: Int32.self).map(Double.init)
            case .int64: tensor.elements(as: Int64.self).map(Double.init)
            }
        #expect(values == (0..<24).map(Double.init))
    }

    @Test func readsVersion3ScalarsAndVectors() throws {
        #expect(try NPYFile.read(path: golden("version3.npy")).elements(as: Float.self) == (0..<24).map(Float.init))
        let scalar = try NPYFile.read(path: golden("scalar.npy"))
        #expect(scalar.shape == [])
        #expect(scalar.elements(as: Double.self) == [2.5])
        #expect(try NPYFile.read(path: golden("vector.npy")).elements(as: Int32.self) == [0, 1, 2])
        #expect(try NPYFile.header(path: golden("fortran_f8.npy")).isFortranOrder)
    }

    @Test(arguments: [
        ("big_endian.npy", FormatError.Code.bigEndian), ("bytes.npy", .unsupportedDType),
        ("records.npy", .unsupportedDType),
    ])
    func refusesWhatNumPyWroteInOtherTypes(name: String, code: FormatError.Code) {
        let error = #expect(throws: FormatError.self) { try NPYFile.read(path: golden(name)) }
        #expect(error?.code == code)
    }

    @Test(arguments: [[], [0], [5], [2, 3], [4, 0, 2], [2, 1, 3, 2]])
    func whatIsWrittenIsReadBackBitForBit(shape: [Int]) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for dtype in DType.allCases {
            let tensor = Tensor(uninitialized: shape, dtype: dtype)
            for byte in 0..<tensor.byteCount {
                tensor.rawPointer.storeBytes(
                    of: UInt8(truncatingIfNeeded: byte &* 37), toByteOffset: byte, as: UInt8.self)
            }
            try NPYFile.write(tensor, to: directory.file("x.npy"))
            let read = try NPYFile.read(path: directory.file("x.npy"))
            #expect(read.shape == shape)
            #expect(read.dtype == dtype)
            #expect(memcmp(read.rawPointer, tensor.rawPointer, tensor.byteCount) == 0)
        }
    }

    /// NumPy's own writer makes the same bytes.
    @Test func writesTheBytesNumPyWrites() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for name in ["c_f4.npy", "c_i8.npy", "vector.npy", "scalar.npy"] {
            try NPYFile.write(try NPYFile.read(path: golden(name)), to: directory.file(name))
            #expect(try content(of: directory.file(name)) == content(of: golden(name)))
        }
    }
}
