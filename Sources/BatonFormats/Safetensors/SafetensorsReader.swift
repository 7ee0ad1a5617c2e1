public import BatonTensor

#if !_endian(little)
    #error("The file formats are little-endian and copied byte by byte")
#endif

/// Reads tensors out of a safetensors file.
///
/// Opening reads and checks the header only; a tensor's bytes are read when it is asked for, straight into its memory.
/// Files are treated as hostile: nothing is allocated from a number that has not been checked against the file's size.
///
/// - Source: safetensors, README, "Format".
public struct SafetensorsReader {
    /// What the file holds.
    public let header: SafetensorsHeader
    private let source: ByteSource
    private let positions: [String: Int]

    /// Opens a file and checks its header.
    ///
    /// - Throws: `FormatError`, one code per way the header can be wrong.
    public init(path: String) throws(FormatError) {
        try self.init(ByteSource(path: path))
    }

    /// Checks the header of a file's content in memory; `name` stands for the file in messages.
    ///
    /// - Throws: `FormatError`, one code per way the header can be wrong.
    public init(bytes: [UInt8], name: String) throws(FormatError) {
        try self.init(ByteSource(bytes: bytes, name: name))
    }

    init(_ source: ByteSource) throws(FormatError) {
        self.source = source
        header = try SafetensorsHeader(source)
        var positions: [String: Int] = [:]
        for (index, entry) in header.entries.enumerated() { positions[entry.name] = index }
        self.positions = positions
    }

    /// The tensor of a name: float32, float64, int32 and int64 as they are, smaller types widened to one of them
    /// exactly (`SafetensorsDType.tensorDType`).
    ///
    /// - Throws: `FormatError` when there is none (`missingTensor`), when its type has no tensor in Baton
    ///   (`unsupportedDType`), or when the file cannot be read.
    public func tensor(_ name: String) throws(FormatError) -> Tensor {
        let entry = try entry(name)
        let result = Tensor(uninitialized: entry.shape, dtype: try tensorDType(of: entry))
        try read(entry, into: result)
        return result
    }

    /// All tensors in file order, and the metadata.
    ///
    /// - Throws: as `tensor(_:)`.
    public func all() throws(FormatError) -> NamedTensors {
        var result = NamedTensors(origin: source.name, metadata: header.metadata)
        for entry in header.entries { result[entry.name] = try tensor(entry.name) }
        return result
    }

    private func entry(_ name: String) throws(FormatError) -> SafetensorsHeader.Entry {
        guard let position = positions[name] else {
            throw FormatError(
                .missingTensor,
                "\(source.name) has no tensor \(FormatError.quote(name)); "
                    + "use a file that was saved from the same model."
            )
        }
        return header.entries[position]
    }

    private func tensorDType(of entry: SafetensorsHeader.Entry) throws(FormatError) -> DType {
        guard let dtype = entry.dtype.tensorDType else {
            throw FormatError(
                .unsupportedDType,
                "\(source.name): tensor \(FormatError.quote(entry.name)) is \(entry.dtype.rawValue), and Baton reads "
                    + "F32, F64, F16, BF16, BOOL, I8 to I64 and U8 to U32; convert it to one of these where it was saved."
            )
        }
        return dtype
    }

    private func read(_ entry: SafetensorsHeader.Entry, into tensor: Tensor) throws(FormatError) {
        let memory = UnsafeMutableRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount)
        // A widened tensor is read into the upper part of its memory and spread from there: no second buffer.
        let destination = UnsafeMutableRawBufferPointer(rebasing: memory[(tensor.byteCount - entry.range.count)...])
        try source.read(at: entry.range.lowerBound, into: destination)
        entry.dtype.widenUpperPart(of: tensor.rawPointer, count: tensor.count)
    }
}
