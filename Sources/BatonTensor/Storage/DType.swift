/// Element types of tensors.
public enum DType: String, Sendable, Hashable, CaseIterable {
    case float32, float64, int32, int64

    /// Size of one element in bytes.
    public var byteCount: Int {
        switch self {
        case .float32, .int32: 4
        case .float64, .int64: 8
        }
    }

    /// Whether layers compute in it.
    public var isFloatingPoint: Bool { self == .float32 || self == .float64 }
}

/// A Swift type that can be the element of a tensor.
public protocol TensorScalar: Sendable, Numeric, Comparable {
    /// The element type it is.
    static var dtype: DType { get }
}

extension Float: TensorScalar {
    /// float32.
    public static var dtype: DType { .float32 }
}
extension Double: TensorScalar {
    /// float64.
    public static var dtype: DType { .float64 }
}
extension Int32: TensorScalar {
    /// int32.
    public static var dtype: DType { .int32 }
}
extension Int64: TensorScalar {
    /// int64.
    public static var dtype: DType { .int64 }
}
