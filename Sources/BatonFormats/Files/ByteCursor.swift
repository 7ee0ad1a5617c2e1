/// Reads a source from its start on; every step is checked against the bytes that are left.
struct ByteCursor {
    let source: ByteSource
    /// Where the next step starts, in bytes from the start of the file.
    private(set) var offset = 0
    /// What a user can do about a file that ends too early; ends the error's sentence.
    let remedy: String

    init(_ source: ByteSource, remedy: String) {
        self.source = source
        self.remedy = remedy
    }

    /// Bytes not read yet.
    var remaining: Int { source.byteCount - offset }

    /// The next little-endian integer; `what` it is stands in the error.
    mutating func integer<Value: FixedWidthInteger>(
        _ what: @autoclosure () -> String, as type: Value.Type = Value.self
    ) throws(FormatError) -> Value {
        var value = Value.zero
        let count = MemoryLayout<Value>.size
        try expect(count, what())
        try withUnsafeMutableBytes(of: &value) { memory throws(FormatError) in
            try source.read(at: offset, into: memory)
        }
        offset += count
        return Value(littleEndian: value)
    }

    /// The next bytes.
    mutating func bytes(_ count: Int, _ what: @autoclosure () -> String) throws(FormatError) -> [UInt8] {
        try expect(count, what())
        defer { offset += count }
        return try source.bytes(at: offset, count: count)
    }

    /// Passes over bytes and says where they are.
    mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws(FormatError) -> Range<Int> {
        try expect(count, what())
        defer { offset += count }
        return offset..<offset + count
    }

    private func expect(_ count: Int, _ what: String) throws(FormatError) {
        guard count >= 0 && count <= remaining else {
            throw FormatError(
                .truncatedRecord,
                "\(source.name) ends \(remaining) bytes after byte \(offset), inside \(what) of \(count) bytes; \(remedy)."
            )
        }
    }
}
