extension SafetensorsHeader {
    private static let damage = "the file is damaged or no safetensors file, so copy or save it again"

    /// Reads and checks a file's header.
    init(_ source: ByteSource) throws(FormatError) {
        let file = source.name
        guard source.byteCount >= 8 else {
            throw FormatError(
                .tooShort,
                "\(file) has \(source.byteCount) bytes where a safetensors file starts with 8 bytes of header length; "
                    + "\(Self.damage).")
        }
        let claimed = try source.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard claimed <= UInt64(Self.maximumByteCount) else {
            throw FormatError(
                .headerTooLong,
                "\(file) claims a header of \(claimed) bytes where safetensors allows \(Self.maximumByteCount); "
                    + "\(Self.damage).")
        }
        let headerByteCount = Int(claimed)
        guard headerByteCount <= source.byteCount - 8 else {
            throw FormatError(
                .headerBeyondFile,
                "\(file) claims a header of \(headerByteCount) bytes where \(source.byteCount - 8) follow; "
                    + "\(Self.damage).")
        }
        let text = try source.bytes(at: 8, count: headerByteCount)
        // `String(validating:)` would copy 100 MB only to answer yes or no.
        guard text.withUnsafeBufferPointer({ isValidUTF8($0) }) else {
            throw FormatError(.headerNotUTF8, "\(file) has a header that is not UTF-8 text; \(Self.damage).")
        }
        var parser = SafetensorsHeaderParser(file: file, text: text)
        let parsed = try parser.parse()
        metadata = parsed.metadata
        entries = try Self.layOut(
            parsed.tensors, dataStart: 8 + headerByteCount, fileByteCount: source.byteCount, file: file)
    }

    /// Checks that the tensors fill the data exactly, and returns them in file order.
    private static func layOut(
        _ tensors: [SafetensorsHeaderParser.RawEntry], dataStart: Int, fileByteCount: Int, file: String
    ) throws(FormatError) -> [Entry] {
        let dataByteCount = fileByteCount - dataStart
        var entries: [Entry] = []
        entries.reserveCapacity(tensors.count)
        var covered = 0
        for tensor in tensors.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            let subject = "\(file): tensor \(FormatError.quote(tensor.name))"
            let span = "data_offsets [\(tensor.begin), \(tensor.end)]"
            guard tensor.begin <= tensor.end else {
                throw FormatError(.offsetsReversed, "\(subject) has \(span), which run backwards; \(damage).")
            }
            guard tensor.end <= dataByteCount else {
                throw FormatError(
                    .offsetsBeyondFile,
                    "\(subject) has \(span) where the file holds \(dataByteCount) bytes of data; \(damage).")
            }
            guard let needed = TensorExtent.byteCount(shape: tensor.shape, elementBitCount: tensor.dtype.bitCount)
            else {
                throw FormatError(
                    .sizeOverflow,
                    "\(subject) has shape \(tensor.shape) of \(tensor.dtype.rawValue), whose bytes cannot be counted; "
                        + "\(damage).")
            }
            guard tensor.end - tensor.begin == needed else {
                throw FormatError(
                    .sizeMismatch,
                    "\(subject) has \(span), \(tensor.end - tensor.begin) bytes, where shape \(tensor.shape) of "
                        + "\(tensor.dtype.rawValue) needs \(needed); \(damage).")
            }
            guard tensor.begin >= covered else {
                throw FormatError(
                    .overlappingTensors,
                    "\(subject) has \(span), which overlap the tensor before it that ends at \(covered); \(damage).")
            }
            guard tensor.begin == covered else {
                throw FormatError(
                    .holeBetweenTensors,
                    "\(subject) has \(span), which leave the bytes from \(covered) unused; \(damage).")
            }
            covered = tensor.end
            entries.append(
                Entry(
                    name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
                    range: dataStart + tensor.begin..<dataStart + tensor.end))
        }
        guard covered == dataByteCount else {
            throw FormatError(
                .trailingBytes,
                "\(file) has \(dataByteCount - covered) bytes after its last tensor; \(damage).")
        }
        return entries
    }
}
