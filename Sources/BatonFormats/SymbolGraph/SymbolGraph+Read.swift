extension SymbolGraph {
    /// Reads a file.
    ///
    /// - Throws: `FormatError`: `notJSON`, `malformedGraph` and the codes of files.
    public init(path: String) throws(FormatError) {
        try self.init(ByteSource(path: path))
    }

    /// Reads a file's content in memory; `name` stands for the file in messages.
    ///
    /// - Throws: as `init(path:)`.
    public init(bytes: [UInt8], name: String) throws(FormatError) {
        try self.init(ByteSource(bytes: bytes, name: name))
    }

    private init(_ source: ByteSource) throws(FormatError) {
        guard source.byteCount <= Self.maximumByteCount else {
            throw FormatError(
                .headerTooLong,
                "\(source.name) has \(source.byteCount) bytes where a graph of at most \(Self.maximumByteCount) is read; "
                    + "export a smaller one, for instance a layer instead of unrolled cells.")
        }
        let text = try source.bytes(at: 0, count: source.byteCount)
        guard text.withUnsafeBufferPointer({ isValidUTF8($0) }) else {
            throw FormatError(.notJSON, "\(source.name) is not UTF-8 text; \(SymbolGraphParser.remedy).")
        }
        var parser = SymbolGraphParser(file: source.name, text: text)
        self = try parser.parse()
    }
}
