import BatonChecks
public import BatonTensor

/// Writes safetensors files, atomically and without a copy of the tensors.
///
/// Tensors are laid out by element size, largest first, then by name (by its UTF-8 bytes), and the header is padded
/// with spaces to a multiple of 8 bytes, so that every tensor is aligned and equal content gives equal files.
///
/// - Source: safetensors, README, "Format".
public enum SafetensorsWriter {
    /// A tensor to be written: its description, and the memory that holds it.
    public struct Entry {
        let name: String
        let dtype: DType
        let shape: [Int]
        let bytes: UnsafeRawBufferPointer

        /// Borrows row-major memory, which must stay valid until the write returns.
        ///
        /// - Precondition: the memory has exactly the bytes that shape and type need.
        public init(name: String, dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer) {
            require(
                TensorExtent.byteCount(shape: shape, elementByteCount: dtype.byteCount) == bytes.count,
                "SafetensorsWriter: \(bytes.count) bytes given for \(name), \(dtype.rawValue) of shape \(shape)")
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.bytes = bytes
        }
    }

    /// Writes tensors and metadata; when this returns, the file is complete and on the disk.
    ///
    /// - Returns: the SHA-256 of the file.
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`, `reservedName`, `headerTooLong`); an older file of
    ///   that name is then intact.
    @discardableResult
    public static func write(_ tensors: NamedTensors, to path: String) throws(FormatError) -> SHA256Digest {
        let entries = tensors.entries
        // Keeps the tensors' memory alive across the write, which sees their pointers only.
        defer { withExtendedLifetime(entries) {} }
        return try write(
            entries.map { name, tensor in
                Entry(
                    name: name, dtype: tensor.dtype, shape: tensor.shape,
                    bytes: UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount))
            }, metadata: tensors.metadata, to: path)
    }

    /// Writes tensors from borrowed memory, such as the parts of an arena.
    ///
    /// - Precondition: no two entries have the same name.
    /// - Returns: the SHA-256 of the file.
    /// - Throws: as `write(_:to:)`.
    @discardableResult
    public static func write(
        _ entries: [Entry], metadata: [String: String], to path: String
    ) throws(FormatError) -> SHA256Digest {
        let ordered = entries.sorted { first, second in
            first.dtype.byteCount != second.dtype.byteCount
                ? first.dtype.byteCount > second.dtype.byteCount
                : first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
        }
        let header = try headerBytes(ordered, metadata: metadata, path: path)
        var file = try AtomicFile(path: path)
        try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { [UInt8]($0) })
        try file.write(header)
        for entry in ordered { try file.write(entry.bytes) }
        return try file.commit()
    }

    private static func headerBytes(
        _ entries: [Entry], metadata: [String: String], path: String
    ) throws(FormatError) -> [UInt8] {
        require(
            Set(entries.map(\.name)).count == entries.count, "SafetensorsWriter: two tensors of the same name")
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            let texts = pairs.map { "\(quoteJSON($0.key)):\(quoteJSON($0.value))" }
            members.append("\"\(SafetensorsHeader.metadataName)\":{\(texts.joined(separator: ","))}")
        }
        var offset = 0
        for entry in entries {
            guard entry.name != SafetensorsHeader.metadataName else {
                throw FormatError(
                    .reservedName,
                    "\(path) cannot hold a tensor named \(SafetensorsHeader.metadataName), which safetensors reserves; "
                        + "give the tensor another name.")
            }
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let end = offset + entry.bytes.count
            members.append(
                "\(quoteJSON(entry.name)):{\"dtype\":\"\(SafetensorsDType(entry.dtype).rawValue)\","
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
