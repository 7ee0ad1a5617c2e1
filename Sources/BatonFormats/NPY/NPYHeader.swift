public import BatonTensor

/// What an NPY file says it holds, checked against the file's size.
///
/// File: `\x93NUMPY`, two bytes of version, header length (2 bytes in version 1, 4 in versions 2 and 3), a Python
/// dictionary `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, then the elements.
///
/// - Source: NumPy, "numpy.lib.format" (NEP 1).
public struct NPYHeader: Hashable, Sendable {
    /// Element type.
    public let dtype: DType
    /// Dimensions; none for a scalar.
    public let shape: [Int]
    /// Whether the first dimension varies fastest in the file, instead of the last.
    public let isFortranOrder: Bool
    /// Where the elements start, in bytes from the start of the file.
    let dataStart: Int

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Longer headers describe structured types only, which Baton does not read.
    static let maximumByteCount = 65_535
    private static let damage = "save the array again with numpy.save"

    /// Reads and checks a file's header.
    init(_ source: ByteSource) throws(FormatError) {
        let file = source.name
        let prefix = try source.bytes(at: 0, count: min(source.byteCount, 12))
        guard prefix.prefix(6).elementsEqual(Self.magic.prefix(prefix.count)) else {
            throw FormatError(.notNPY, "\(file) does not start with NumPy's magic bytes; \(Self.damage).")
        }
        guard prefix.count >= 10, prefix[6] == 1 || prefix.count == 12 else {
            throw FormatError(
                .tooShort, "\(file) ends after \(source.byteCount) bytes, inside its NPY header; \(Self.damage).")
        }
        guard (1...3).contains(prefix[6]) && prefix[7] == 0 else {
            throw FormatError(
                .unknownVersion,
                "\(file) is of NPY version \(prefix[6]).\(prefix[7]), and Baton reads 1.0, 2.0 and 3.0; \(Self.damage)."
            )
        }
        let textStart = prefix[6] == 1 ? 10 : 12
        let textByteCount = prefix[8..<textStart].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard textByteCount <= Self.maximumByteCount else {
            throw FormatError(
                .headerTooLong,
                "\(file) claims a header of \(textByteCount) bytes where at most \(Self.maximumByteCount) are read; "
                    + "\(Self.damage).")
        }
        guard textByteCount <= source.byteCount - textStart else {
            throw FormatError(
                .headerBeyondFile,
                "\(file) claims a header of \(textByteCount) bytes where \(source.byteCount - textStart) follow; "
                    + "\(Self.damage).")
        }
        var scanner = NPYHeaderScanner(file: file, text: try source.bytes(at: textStart, count: textByteCount))
        let description = try scanner.parse()
        dtype = try Self.dtype(description.descr, file: file)
        shape = description.shape
        isFortranOrder = description.isFortranOrder
        dataStart = textStart + textByteCount
        try checkSize(source.byteCount - dataStart, file: file)
    }

    private func checkSize(_ dataByteCount: Int, file: String) throws(FormatError) {
        guard let needed = TensorExtent.byteCount(shape: shape, elementBitCount: 8 * dtype.byteCount) else {
            throw FormatError(
                .sizeOverflow, "\(file) has shape \(shape), more bytes than can be counted; \(Self.damage).")
        }
        guard dataByteCount >= needed else {
            throw FormatError(
                .truncatedData,
                "\(file) holds \(dataByteCount) bytes of elements where \(dtype.rawValue) of shape \(shape) needs "
                    + "\(needed); copy the file again or \(Self.damage).")
        }
        guard dataByteCount == needed else {
            throw FormatError(
                .trailingBytes,
                "\(file) holds \(dataByteCount) bytes of elements where \(dtype.rawValue) of shape \(shape) needs only "
                    + "\(needed); \(Self.damage).")
        }
    }

    private static func dtype(_ descr: String, file: String) throws(FormatError) -> DType {
        switch descr {
        case "<f4": return .float32
        case "<f8": return .float64
        case "<i4": return .int32
        case "<i8": return .int64
        case ">f4", ">f8", ">i4", ">i8":
            throw FormatError(
                .bigEndian,
                "\(file) holds big-endian elements (\(descr)), and Baton reads little-endian ones; "
                    + "save array.astype('<\(descr.dropFirst())') instead.")
        default:
            throw FormatError(
                .unsupportedDType,
                "\(file) holds elements of type \(FormatError.quote(descr)), and Baton reads <f4, <f8, <i4 and <i8; "
                    + "save array.astype('<f4'), or of whole numbers array.astype('<i4'), instead.")
        }
    }
}
