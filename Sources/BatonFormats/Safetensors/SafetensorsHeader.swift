/// What a safetensors file says it holds, checked against the file's size.
///
/// File: 8 bytes little-endian header length h; h bytes of JSON `{name: {dtype, shape, data_offsets}, …}`, where
/// `__metadata__` may hold strings by key; then the tensors' bytes, to which `data_offsets` [begin, end) refer. A
/// header that exists as a value has passed every check: the tensors cover the data without overlap, hole or rest, and
/// each has the size its shape and type need.
///
/// - Source: safetensors, README, "Format".
public struct SafetensorsHeader: Sendable {
    /// The description of one tensor.
    public struct Entry: Hashable, Sendable {
        /// Unique name.
        public let name: String
        /// Element type in the file.
        public let dtype: SafetensorsDType
        /// Dimensions, row-major; none for a scalar.
        public let shape: [Int]
        /// Bytes of the tensor, counted from the start of the file.
        public let range: Range<Int>
    }

    /// The longest header the format allows, in bytes.
    public static let maximumByteCount = 100_000_000
    /// The member of the header that is no tensor.
    static let metadataName = "__metadata__"

    /// Tensors in the order of their bytes in the file.
    public let entries: [Entry]
    /// Free text by key.
    public let metadata: [String: String]
}
