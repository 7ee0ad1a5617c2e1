public import BatonTensor

/// Reads tensors out of an MXNet `.params` file of any version.
///
/// Opening reads and checks the descriptions only; a tensor's bytes are read when it is asked for. Files are treated as
/// hostile: nothing is allocated from a number that has not been checked against the file's size.
///
/// - Source: MXNet 1.9.1, `NDArray::Load` (parity 4.1); layout in `MXNetParamsHeader`.
public struct MXNetParamsReader {
    /// What the file holds.
    public let header: MXNetParamsHeader
    private let source: ByteSource
    private let positions: [String: Int]

    /// Opens a file and checks its descriptions.
    ///
    /// - Throws: `FormatError`, one code per way they can be wrong; `sparseArray` for storage other than dense.
    public init(path: String) throws(FormatError) {
        try self.init(ByteSource(path: path))
    }

    /// Checks the descriptions of a file's content in memory; `name` stands for the file in messages.
    ///
    /// - Throws: as `init(path:)`.
    public init(bytes: [UInt8], name: String) throws(FormatError) {
        try self.init(ByteSource(bytes: bytes, name: name))
    }

    init(_ source: ByteSource) throws(FormatError) {
        self.source = source
        header = try MXNetParamsHeader(source)
        var positions: [String: Int] = [:]
        for (index, entry) in header.entries.enumerated() { positions[entry.name] = index }
        self.positions = positions
    }

    /// The array of a name, its elements widened to one of Baton's types, exactly (`MXNetDType.tensorDType`).
    ///
    /// - Throws: `FormatError` when there is none (`missingTensor`), when it has no values (`valuelessArray`), when a
    ///   uint64 exceeds int64 (`unsupportedDType`), or when the file cannot be read.
    public func tensor(_ name: String) throws(FormatError) -> Tensor {
        guard let position = positions[name] else {
            throw FormatError(
                .missingTensor,
                "\(source.name) has no array \(FormatError.quote(name)); use a file that was saved from the same model."
            )
        }
        let entry = header.entries[position]
        guard let dtype = entry.dtype, let shape = entry.shape else {
            throw FormatError(
                .valuelessArray,
                "\(source.name): array \(FormatError.quote(name)) has no values; initialize the model before it is saved."
            )
        }
        let result = Tensor(uninitialized: shape, dtype: dtype.tensorDType)
        let memory = UnsafeMutableRawBufferPointer(start: result.rawPointer, count: result.byteCount)
        let destination = UnsafeMutableRawBufferPointer(rebasing: memory[(result.byteCount - entry.range.count)...])
        try source.read(at: entry.range.lowerBound, into: destination)
        guard dtype.widenUpperHalf(of: result.rawPointer, count: result.count) else {
            throw FormatError(
                .unsupportedDType,
                "\(source.name): array \(FormatError.quote(name)) is uint64 with values above 2^63 - 1, which int64 "
                    + "cannot hold; convert it where it was saved.")
        }
        return result
    }

    /// All tensors in file order, except arrays without values.
    ///
    /// - Throws: as `tensor(_:)`.
    public func all() throws(FormatError) -> NamedTensors {
        var result = NamedTensors(origin: source.name)
        for entry in header.entries where entry.shape != nil { result[entry.name] = try tensor(entry.name) }
        return result
    }
}
