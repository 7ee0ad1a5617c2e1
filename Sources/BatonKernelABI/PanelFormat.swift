/// How packed panels hold their elements. All formats but `float32` are for inference.
@frozen public enum PanelFormat: Int, Sendable, Hashable {
    /// One row of the panel after the other.
    case float32
    /// The upper halves of floats, rounded to nearest even; two rows side by side in the halves of 32-bit elements.
    /// Products are formed with the widened elements in f32, in the same order.
    case bfloat16
    /// Integers w of −127...127, kept as the bytes w + 128; four rows k...k+3 side by side in the bytes of 32-bit elements, in
    /// the order k, k+2, k+1, k+3. Products are exact integers: of rows that `QuantizedRow` describes.
    ///
    /// Two rows count as one: the element of a chain is a pair of terms.
    case int8
    /// As `int8` in memory and in every bit of the result, by the dot products of AVX-512 VNNI: only for processors that have
    /// them.
    case int8Dot

    /// Whether elements of chains are pairs of integers.
    @_transparent public var isInteger: Bool { self == .int8 || self == .int8Dot }

    /// Elements of a chain of so many terms, which is also the depth of its panels.
    @_transparent public func chainLength(_ terms: Int) -> Int { isInteger ? (terms &+ 3) >> 2 &* 2 : terms }

    /// Words that a piece of a chain's left operand begins with, before its elements.
    @_transparent public var headWords: Int { isInteger ? QuantizedRow.headWords : 0 }

    /// Rows of the panel that stand together in memory.
    @_transparent public var rowsTogether: Int { self == .float32 ? 1 : 2 }

    /// Bytes that `rows` rows of `columns` columns take, rows that stand together counted whole.
    @_transparent public func bytes(rows: Int, columns: Int) -> Int {
        self == .float32 ? rows &* columns &* 4 : ((rows &+ 1) >> 1) &* columns &* 4
    }
}
