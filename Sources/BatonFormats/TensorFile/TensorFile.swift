public import BatonTensor

/// A weights file of either format, recognized by its first bytes.
///
/// Opening reads and checks what the file says it holds; tensors are read when they are asked for. What is checked and
/// widened: `SafetensorsReader`, `MXNetParamsReader`.
public struct TensorFile {
    /// Formats of weights.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// Safetensors.
        case safetensors
        /// MXNet's `.params`.
        case params
    }

    /// The description of one tensor.
    public struct Entry: Hashable, Sendable {
        /// Unique name.
        public let name: String
        /// Element type as the format spells it.
        public let dtype: String
        /// Element type of the tensor that is read; nil when Baton has none for it.
        public let tensorDType: DType?
        /// Dimensions; nil for an array without values.
        public let shape: [Int]?
        /// Bytes of the elements in the file.
        public let byteCount: Int
    }

    private enum Reader {
        case safetensors(SafetensorsReader)
        case params(MXNetParamsReader)
    }

    /// The file's name in messages.
    public let name: String
    /// Descriptions in file order.
    public let entries: [Entry]
    /// Size of the whole file.
    public let byteCount: Int
    /// Bytes after the end of the content, which are passed over. Only `.params` files may have any.
    public let trailingByteCount: Int
    private let reader: Reader

    /// Opens a file.
    ///
    /// - Throws: `FormatError`, one code per way its descriptions can be wrong.
    public init(path: String) throws(FormatError) {
        try self.init(ByteSource(path: path))
    }

    /// Opens a file's content in memory; `name` stands for the file in messages.
    ///
    /// - Throws: as `init(path:)`.
    public init(bytes: [UInt8], name: String) throws(FormatError) {
        try self.init(ByteSource(bytes: bytes, name: name))
    }

    private init(_ source: ByteSource) throws(FormatError) {
        name = source.name
        byteCount = source.byteCount
        if MXNetParamsHeader.recognizes(try source.bytes(at: 0, count: min(source.byteCount, 16))) {
            let params = try MXNetParamsReader(source)
            reader = .params(params)
            trailingByteCount = params.header.trailingByteCount
            entries = params.header.entries.map { entry in
                Entry(
                    name: entry.name, dtype: entry.dtype?.name ?? "none", tensorDType: entry.dtype?.tensorDType,
                    shape: entry.shape, byteCount: entry.range.count)
            }
        } else {
            let safetensors = try SafetensorsReader(source)
            reader = .safetensors(safetensors)
            trailingByteCount = 0
            entries = safetensors.header.entries.map { entry in
                Entry(
                    name: entry.name, dtype: entry.dtype.rawValue, tensorDType: entry.dtype.tensorDType,
                    shape: entry.shape, byteCount: entry.range.count)
            }
        }
    }

    /// The file's format.
    public var format: Format {
        switch reader {
        case .safetensors: .safetensors
        case .params: .params
        }
    }

    /// Free text by key; `.params` files have none.
    public var metadata: [String: String] {
        switch reader {
        case .safetensors(let reader): reader.header.metadata
        case .params: [:]
        }
    }

    /// The tensor of a name.
    ///
    /// - Throws: `FormatError`, as the format's reader.
    public func tensor(_ name: String) throws(FormatError) -> Tensor {
        switch reader {
        case .safetensors(let reader): try reader.tensor(name)
        case .params(let reader): try reader.tensor(name)
        }
    }

    /// All tensors in file order, and the metadata.
    ///
    /// - Throws: `FormatError`, as the format's reader.
    public func all() throws(FormatError) -> NamedTensors {
        switch reader {
        case .safetensors(let reader): try reader.all()
        case .params(let reader): try reader.all()
        }
    }
}
