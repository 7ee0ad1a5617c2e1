import BatonTensor

/// Writes safetensors files, atomically and without a copy of the tensors.
///
/// Tensors are laid out by element size, largest first, then by name (by its UTF-8 bytes), and the header is padded
/// with spaces to a multiple of 8 bytes, so that every tensor is aligned and equal content gives equal files.
///
/// - Source: safetensors, README, "Format".
public enum SafetensorsWriter {
    /// Writes tensors and metadata; when this returns, the file is complete and on the disk.
    ///
    /// - Returns: the SHA-256 of the file.
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`, `reservedName`, `headerTooLong`); an older file of
    ///   that name is then intact.
    @discardableResult
    public static func write(_ tensors: NamedTensors, to path: String) throws(FormatError) -> SHA256Digest {
        let ordered = tensors.entries.sorted { first, second in
            first.tensor.dtype.byteCount != second.tensor.dtype.byteCount
                ? first.tensor.dtype.byteCount > second.tensor.dtype.byteCount
                : first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
        }
        let header = try headerBytes(ordered, metadata: tensors.metadata, path: path)
        var file = try AtomicFile(path: path)
        try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { [UInt8]($0) })
        try file.write(header)
        for (_, tensor) in ordered {
            // The write sees the pointer only.
            defer { withExtendedLifetime(tensor) {} }
            try file.write(UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount))
        }
        return try file.commit()
    }

    private static func headerBytes(
        _ entries: [(name: String, tensor: Tensor)], metadata: [String: String], path: String
    ) throws(FormatError) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            let texts = pairs.map { "\(quoteJSON($0.key)):\(quoteJSON($0.value))" }
            members.append("\"\(SafetensorsHeader.metadataName)\":{\(texts.joined(separator: ","))}")
        }
        var offset = 0
        for (name, tensor) in entries {
            guard name != SafetensorsHeader.metadataName else {
                throw FormatError(
                    .reservedName,
                    "\(path) cannot hold a tensor named \(SafetensorsHeader.metadataName), which safetensors reserves; "
                        + "give the tensor another name.")
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.byteCount
            members.append(
                "\(quoteJSON(name)):{\"dtype\":\"\(SafetensorsDType(tensor.dtype).rawValue)\","
                    + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var bytes = [UInt8]("{\(members.joined(separator: ","))}".utf8)
        while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
        guard bytes.count <= SafetensorsHeader.maximumByteCount else {
            throw FormatError(
                .headerTooLong,
                "\(path) would need a header of \(bytes.count) bytes where safetensors allows "
                    + "\(SafetensorsHeader.maximumByteCount); split the tensors over several files.")
        }
        return bytes
    }
}
