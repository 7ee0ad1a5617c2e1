public import BatonTensor

/// Element types the safetensors format knows by name.
///
/// - Source: safetensors, README, "Format", and its list of dtypes.
public enum SafetensorsDType: String, Hashable, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case float8E8M0 = "F8_E8M0"
    case float8E4M3FNUZ = "F8_E4M3FNUZ"
    case float8E5M2FNUZ = "F8_E5M2FNUZ"
    case float6E2M3 = "F6_E2M3"
    case float6E3M2 = "F6_E3M2"
    case float4 = "F4"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case int64 = "I64"
    case uint64 = "U64"
    case float64 = "F64"
    case complex64 = "C64"

    /// Size of one element in bits.
    public var bitCount: Int {
        switch self {
        case .float4: 4
        case .float6E2M3, .float6E3M2: 6
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0, .float8E4M3FNUZ, .float8E5M2FNUZ: 8
        case .int16, .uint16, .float16, .bfloat16: 16
        case .int32, .uint32, .float32: 32
        case .int64, .uint64, .float64, .complex64: 64
        }
    }

    /// The element type of the tensor that is read: the same, or a wider one that holds all its values exactly; nil for
    /// types Baton has no tensor for.
    public var tensorDType: DType? {
        switch self {
        case .float32, .float16, .bfloat16: .float32
        case .float64: .float64
        case .int32, .bool, .uint8, .int8, .int16, .uint16: .int32
        case .int64, .uint32: .int64
        case .uint64, .complex64, .float8E5M2, .float8E4M3, .float8E8M0, .float8E4M3FNUZ, .float8E5M2FNUZ, .float6E2M3,
            .float6E3M2, .float4:
            nil
        }
    }

    /// The name under which tensors of an element type are written.
    public init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .float64: self = .float64
        case .int32: self = .int32
        case .int64: self = .int64
        }
    }
}
