import BatonTensor

/// Writes MXNet `.params` files of version 2, atomically, byte for byte as MXNet 1.9.1 does from the CPU.
///
/// - Source: MXNet 1.9.1, `NDArray::Save` (parity 4.1); layout in `MXNetParamsHeader`.
public enum MXNetParamsWriter {
    /// Writes tensors in their order; when this returns, the file is complete and on the disk. The format has no place
    /// for metadata.
    ///
    /// - Returns: the SHA-256 of the file.
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`, `scalarArray`); an older file of that name is then
    ///   intact.
    @discardableResult
    public static func write(_ tensors: NamedTensors, to path: String) throws(FormatError) -> SHA256Digest {
        for (name, tensor) in tensors.entries where tensor.rank == 0 {
            throw FormatError(
                .scalarArray,
                "\(path) cannot hold the scalar \(FormatError.quote(name)), which MXNet's format has no form for; "
                    + "give it the shape [1].")
        }
        var file = try AtomicFile(path: path)
        try file.write(bytes(MXNetParamsHeader.listMagic, UInt64(0), UInt64(tensors.count)))
        for (_, tensor) in tensors.entries {
            try file.write(description(of: tensor))
            try file.write(UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount))
        }
        try file.write(bytes(UInt64(tensors.count)))
        for name in tensors.names {
            try file.write(bytes(UInt64(name.utf8.count)))
            try file.write([UInt8](name.utf8))
        }
        return try file.commit()
    }

    private static func description(of tensor: Tensor) -> [UInt8] {
        let cpu: (type: Int32, number: Int32) = (1, 0)
        return bytes(MXNetParamsHeader.version2Magic) + bytes(Int32(0), Int32(tensor.rank))
            + tensor.shape.flatMap { bytes(Int64($0)) }
            + bytes(cpu.type, cpu.number, MXNetDType(tensor.dtype).rawValue)
    }

    private static func bytes<Value: FixedWidthInteger>(_ values: Value...) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) } }
    }
}
