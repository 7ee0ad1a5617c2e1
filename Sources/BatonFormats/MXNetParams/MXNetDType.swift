public import BatonTensor

/// Element types of MXNet's arrays, by their numbers in files.
///
/// - Source: MXNet, `mshadow::TypeFlag` (parity 4.1).
public enum MXNetDType: Int32, Hashable, Sendable, CaseIterable {
    case float32 = 0
    case float64 = 1
    case float16 = 2
    case uint8 = 3
    case int32 = 4
    case int8 = 5
    case int64 = 6
    case bool = 7
    case int16 = 8
    case uint16 = 9
    case uint32 = 10
    case uint64 = 11
    case bfloat16 = 12

    /// The type's name as NumPy and MXNet spell it.
    public var name: String { String(describing: self) }

    /// Size of one element in bytes.
    public var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// The element type of the tensor that is read; it holds every value of the type in the file exactly, except that
    /// a uint64 above 2⁶³ − 1 is refused.
    public var tensorDType: DType {
        switch self {
        case .float32, .float16, .bfloat16: .float32
        case .float64: .float64
        case .int32, .uint8, .int8, .bool, .int16, .uint16: .int32
        case .int64, .uint32, .uint64: .int64
        }
    }

    /// The type under which tensors of an element type are written.
    public init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .float64: self = .float64
        case .int32: self = .int32
        case .int64: self = .int64
        }
    }
}
