import Crypto

/// A SHA-256 checksum: 32 bytes, written as 64 lower-case hexadecimal digits.
///
/// - Source: FIPS 180-4, computed by swift-crypto.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    /// The 64 hexadecimal digits.
    public let description: String

    init(_ hash: Crypto.SHA256.Digest) {
        var text = ""
        for byte in hash {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        description = text
    }

    /// The digest a manifest has recorded.
    ///
    /// - Throws: `FormatError` (`malformedDigest`) unless the text is 64 lower-case hexadecimal digits.
    public init(hexadecimal text: String) throws(FormatError) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let letters = UInt8(ascii: "a")...UInt8(ascii: "f")
        guard text.utf8.count == 64, text.utf8.allSatisfy({ digits.contains($0) || letters.contains($0) }) else {
            throw FormatError(
                .malformedDigest,
                "\(FormatError.quote(text)) is not a SHA-256 digest of 64 lower-case hexadecimal digits; "
                    + "restore the file that holds it.")
        }
        description = text
    }

    /// The digest of bytes in memory.
    public init(of bytes: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        self.init(hash.finalize())
    }

    /// The digest of bytes in memory.
    public init(of bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { SHA256Digest(of: $0) }
    }

    /// The digest of a file's content, read in pieces of 1 MiB.
    ///
    /// - Throws: `FormatError` when the file cannot be opened or read, or is not a regular file.
    public init(ofFile path: String) throws(FormatError) {
        let source = try ByteSource(path: path)
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { piece.deallocate() }
        var hash = SHA256()
        var offset = 0
        while offset < source.byteCount {
            let part = UnsafeMutableRawBufferPointer(rebasing: piece[..<min(piece.count, source.byteCount - offset)])
            try source.read(at: offset, into: part)
            hash.update(bufferPointer: UnsafeRawBufferPointer(part))
            offset += part.count
        }
        self.init(hash.finalize())
    }
}

extension SHA256Digest: Codable {
    /// Decodes the 64 digits from a single string.
    public init(from decoder: any Decoder) throws {
        try self.init(hexadecimal: decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes the 64 digits as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
