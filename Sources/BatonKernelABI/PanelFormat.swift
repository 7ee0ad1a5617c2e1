/// How packed panels hold their elements. All formats but `float32` are for inference; products are formed with the
/// widened elements in f32, in the same order.
@frozen public enum PanelFormat: Int, Sendable, Hashable {
    /// One row of the panel after the other.
    case float32
    /// The upper halves of floats, rounded to nearest even; two rows side by side in the halves of 32-bit elements.
    case bfloat16
    /// Signed bytes, one row after the other, to be multiplied by a scale of their column.
    case int8

    /// Rows of the panel that stand together in memory.
    @_transparent public var rowsTogether: Int { self == .bfloat16 ? 2 : 1 }

    /// Bytes that `rows` rows of `columns` columns take, rows that stand together counted whole.
    @_transparent public func bytes(rows: Int, columns: Int) -> Int {
        switch self {
        case .float32: rows &* columns &* 4
        case .bfloat16: ((rows &+ 1) >> 1) &* columns &* 4
        case .int8: rows &* columns
        }
    }
}
