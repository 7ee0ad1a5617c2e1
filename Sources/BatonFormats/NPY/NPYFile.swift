import BatonChecks
public import BatonTensor

/// NumPy's file of one array: versions 1, 2 and 3 are read, version 1 is written.
///
/// Element types float32, float64, int32 and int64, little-endian. Files are treated as hostile: nothing is allocated
/// from a number that has not been checked against the file's size.
///
/// - Source: NumPy, "numpy.lib.format" (NEP 1).
public enum NPYFile {
    /// Reads and checks a file's header only.
    ///
    /// - Throws: `FormatError`, one code per way the header can be wrong.
    public static func header(path: String) throws(FormatError) -> NPYHeader {
        try NPYHeader(ByteSource(path: path))
    }

    /// Reads the array of a file; Fortran order is converted to row-major order.
    ///
    /// - Throws: `FormatError`, one code per way the file can be wrong.
    public static func read(path: String) throws(FormatError) -> Tensor {
        try read(ByteSource(path: path))
    }

    /// Reads the array of a file's content in memory; `name` stands for the file in messages.
    ///
    /// - Throws: `FormatError`, one code per way the file can be wrong.
    public static func read(bytes: [UInt8], name: String) throws(FormatError) -> Tensor {
        try read(ByteSource(bytes: bytes, name: name))
    }

    /// Writes a tensor as an NPY file of version 1, atomically.
    ///
    /// - Returns: the SHA-256 of the file.
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`); an older file of that name is then intact.
    @discardableResult
    public static func write(_ tensor: Tensor, to path: String) throws(FormatError) -> SHA256Digest {
        var file = try AtomicFile(path: path)
        try write(tensor, into: &file)
        return try file.commit()
    }

    /// Writes a tensor to a file that is committed by the caller.
    ///
    /// - Throws: `FormatError` (`writeFailed`).
    public static func write(_ tensor: Tensor, into file: inout AtomicFile) throws(FormatError) {
        try file.write(headerBytes(shape: tensor.shape, dtype: tensor.dtype))
        try file.write(UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount))
    }

    private static func read(_ source: ByteSource) throws(FormatError) -> Tensor {
        let header = try NPYHeader(source)
        let tensor = Tensor(uninitialized: header.shape, dtype: header.dtype)
        try source.read(
            at: header.dataStart,
            into: UnsafeMutableRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount))
        guard header.isFortranOrder && header.shape.count > 1 else { return tensor }
        switch header.dtype.byteCount {
        case 4: return rowMajor(tensor, as: UInt32.self)
        default: return rowMajor(tensor, as: UInt64.self)
        }
    }

    /// The elements of a tensor whose memory holds them first dimension fastest, in row-major order.
    private static func rowMajor<Bits: FixedWidthInteger>(_ tensor: Tensor, as bits: Bits.Type) -> Tensor {
        let result = Tensor(uninitialized: tensor.shape, dtype: tensor.dtype)
        guard tensor.count > 0 else { return result }
        var strides: [Int] = []
        var stride = 1
        for dimension in tensor.shape {
            strides.append(stride)
            stride *= dimension
        }
        var index = [Int](repeating: 0, count: tensor.rank)
        var source = 0
        for target in 0..<tensor.count {
            let element = tensor.rawPointer.load(fromByteOffset: source * MemoryLayout<Bits>.size, as: Bits.self)
            result.rawPointer.storeBytes(of: element, toByteOffset: target * MemoryLayout<Bits>.size, as: Bits.self)
            // The next index in row-major order, and where the file has it.
            var axis = tensor.rank - 1
            while axis >= 0 {
                index[axis] += 1
                source += strides[axis]
                if index[axis] < tensor.shape[axis] { break }
                source -= strides[axis] * tensor.shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        return result
    }

    /// The header of version 1, padded so that the elements start at a multiple of 64 bytes.
    static func headerBytes(shape: [Int], dtype: DType) -> [UInt8] {
        let descr =
            switch dtype {
            case .float32: "<f4"
            case .float64: "<f8"
            case .int32: "<i4"
            case .int64: "<i8"
            }
        let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(dimensions)), }"
        let unpadded = NPYHeader.magic.count + 4 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        require(text.utf8.count <= NPYHeader.maximumByteCount, "NPYFile: a shape of \(shape.count) dimensions")
        return NPYHeader.magic + [1, 0, UInt8(text.utf8.count & 0xFF), UInt8(text.utf8.count >> 8)] + text.utf8
    }
}
