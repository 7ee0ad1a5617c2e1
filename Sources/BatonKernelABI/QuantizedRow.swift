/// The left operand of a chain against panels of `int8`: a row of K floats x as integers q = round(x / s) of −127...127 with
/// s = max |x| / 127, so that the sum over 512 terms,
///
///     S = Σ q·w,  |S| ≤ 512 · 127 · 127 < 2²³,
///
/// is exact, also as a float. A chain adds s·S of every 512 terms to its accumulator, in f32.
///
/// In memory a row is a piece of 32-bit words for every 512 terms: s; −128·Σ q, which takes from the sum what the bytes
/// w + 128 have too much; the q, of `int8` as integers of 16 bits, two to a word, of `int8Dot` as bytes, four to a word in
/// the order of the panel's. Zeros fill the last four up. Rows with a value that is not finite have s = NaN; of rows below
/// `least` all is zero.
public enum QuantizedRow {
    /// Words of a piece before the integers.
    @_transparent public static var headWords: Int { 2 }
    /// Terms of a piece.
    @_transparent public static var pieceTerms: Int { 512 }

    /// What rows are zero below: the inverse of a smaller scale would be infinite.
    @_transparent public static var least: Float { 0x1p-100 }
}
