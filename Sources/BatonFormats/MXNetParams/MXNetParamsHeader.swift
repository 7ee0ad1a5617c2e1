/// What an MXNet `.params` file (an NDArray list) says it holds, checked against the file's size.
///
/// File, little-endian: u64 magic 0x112, u64 reserved, u64 array count, the arrays, u64 name count (as many as arrays,
/// or 0), the names (u64 byte count, UTF-8). Array of version 2: u32 0xF993FAC9, i32 storage type, i32 rank and i64
/// dimensions, i32 device type, i32 device number, i32 element type, row-major elements; it ends after a rank of 0.
/// Version 1 (0xF993FAC8) has no storage type, version 3 (0xF993FACA) has NumPy's scalars, and in the first version the
/// rank itself stands in place of the magic number, with u32 dimensions. The device is ignored.
///
/// - Source: MXNet 1.9.1, `NDArray::Save`, `NDArray::Load` (parity 4.1).
public struct MXNetParamsHeader: Sendable {
    /// The description of one array.
    public struct Entry: Hashable, Sendable {
        /// Unique name; the position in a list whose arrays have no names.
        public let name: String
        /// Element type in the file; nil for an array without values.
        public let dtype: MXNetDType?
        /// Dimensions, row-major; nil for an array without values.
        public let shape: [Int]?
        /// Bytes of the elements, counted from the start of the file.
        public let range: Range<Int>
    }

    static let listMagic: UInt64 = 0x112
    static let version1Magic: UInt32 = 0xF993_FAC8
    static let version2Magic: UInt32 = 0xF993_FAC9
    static let version3Magic: UInt32 = 0xF993_FACA

    /// Arrays in file order.
    public let entries: [Entry]
    /// Whether the file names its arrays.
    public let hasNames: Bool
    /// Bytes after the last name; MXNet passes over them, and so does Baton.
    public let trailingByteCount: Int

    /// Whether a file that starts with these bytes (16 are enough) is an NDArray list.
    static func recognizes(_ start: [UInt8]) -> Bool {
        // A safetensors file may start with the same length; its ninth byte is a brace.
        start.count >= 16 && start.prefix(8).elementsEqual([0x12, 1, 0, 0, 0, 0, 0, 0])
            && start[8] != UInt8(ascii: "{")
    }
}
