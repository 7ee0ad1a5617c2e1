/// How packed panels hold their elements. All formats but `float32` are for inference.
@frozen public enum PanelFormat: Int, Sendable, Hashable {
    /// One row of the panel after the other.
    case float32
    /// The upper halves of floats, rounded to nearest even; two rows side by side in 32-bit elements, the first in the upper
    /// halves. Products are formed with the widened elements in f32, row after row: with rows of floats rounded likewise.
    case bfloat16
    /// As `bfloat16` in memory, by the dot products of AVX-512 BF16: only for processors that have them. The other operand's
    /// rows hold two elements to a word, in the same halves. The instruction adds the product of the upper halves first, and
    /// each sum is rounded as that of a fused multiply-add is: a chain has the bits of `bfloat16`, except that elements and
    /// sums below 2⁻¹²⁶ count as zero.
    ///
    /// Two rows count as one: the element of a chain is a pair of terms.
    case bfloat16Dot
    /// Integers w of −127...127, kept as the bytes w + 128; four rows k...k+3 side by side in the bytes of 32-bit elements, in
    /// the order k, k+2, k+1, k+3. Products are exact integers: of rows that `QuantizedRow` describes.
    ///
    /// Two rows count as one: the element of a chain is a pair of terms.
    case int8
    /// As `int8` in memory and in every bit of the result, by the dot products of AVX-512 VNNI: only for processors that have
    /// them.
    ///
    /// Four rows count as one: the element of a chain is four terms.
    case int8Dot

    /// Whether elements of chains are integers.
    @_transparent public var isInteger: Bool { self == .int8 || self == .int8Dot }

    /// Elements of a chain of so many terms, which is also the depth of its panels.
    @_transparent public func chainLength(_ terms: Int) -> Int {
        switch self {
        case .float32, .bfloat16: terms
        case .bfloat16Dot: (terms &+ 1) >> 1
        case .int8: (terms &+ 3) >> 2 &* 2
        case .int8Dot: (terms &+ 3) >> 2
        }
    }

    /// Elements of a piece of `QuantizedRow`.
    @_transparent public var pieceLength: Int { chainLength(QuantizedRow.pieceTerms) }

    /// Words that a piece of a chain's left operand begins with, before its elements.
    @_transparent public var headWords: Int { isInteger ? QuantizedRow.headWords : 0 }

    /// Words of a row of so many terms that is a chain's left operand.
    public func rowWords(terms: Int) -> Int {
        (terms + QuantizedRow.pieceTerms - 1) / QuantizedRow.pieceTerms * headWords + chainLength(terms)
    }

    /// Elements of a chain that meet one row of 32-bit elements of the panel, one after the other.
    @_transparent public var rowsTogether: Int { self == .bfloat16 || self == .int8 ? 2 : 1 }

    /// Bytes that `rows` rows of `columns` columns take, rows that stand together counted whole.
    @_transparent public func bytes(rows: Int, columns: Int) -> Int {
        (rowsTogether == 1 ? rows : (rows &+ 1) >> 1) &* columns &* 4
    }
}
