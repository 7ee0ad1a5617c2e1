/// The left operand of a chain against panels of `int8`: a row of K floats x as 16-bit integers q = round(x / s) with
/// s = max |x| / 32767, so that the sum over 512 terms,
///
///     S = Σ q·w,  |S| ≤ 512 · 32767 · 127 < 2³¹,
///
/// is exact in 32 bits. A chain adds s·S of every 512 terms to its accumulator, in f32. Rounding x costs less than rounding
/// w has: 2⁻¹⁶ of the greatest x, against 2⁻⁸ of the greatest w.
///
/// In memory a row is a piece of 32-bit words for every 512 terms: s; −128·Σ q, which takes from the sum what the bytes
/// w + 128 have too much; the q, two to a word. Zeros fill the last four up. Rows with a value that is not finite have
/// s = NaN; of rows below `least` all is zero.
public enum QuantizedRow {
    /// Words of a piece before the integers.
    @_transparent public static var headWords: Int { 2 }
    /// Terms of a piece.
    @_transparent public static var pieceTerms: Int { 512 }
    /// Elements of a piece: pairs of terms.
    @_transparent public static var pieceLength: Int { pieceTerms / 2 }

    /// What rows are zero below: the inverse of a smaller scale would be infinite.
    @_transparent public static var least: Float { 0x1p-100 }

    /// Words of a row of so many floats.
    public static func words(terms: Int) -> Int {
        (terms + pieceTerms - 1) / pieceTerms * headWords + PanelFormat.int8.chainLength(terms)
    }
}
