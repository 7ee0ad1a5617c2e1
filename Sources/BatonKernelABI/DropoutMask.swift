/// A dropout mask over rows (t, n) of `width` elements, as a function of global numbers only.
///
/// Element u of row (t, n) has 16 random bits: of word `(u/16) mod 4` of the Philox block with counter
/// `((u/128)·16 + u mod 16, time(t), row(n), step)` the low half if u mod 128 < 64, else the high half. It is dropped if
/// they are below p · 2¹⁶. Sixteen neighbours use the same half of sixteen blocks, so vectors of 4, 8 or 16 lanes need
/// no transposition; 16 bits instead of 32 halve the cost, and leave probabilities that are multiples of 2⁻¹⁶.
public struct DropoutMask: Sendable {
    /// Philox key: identifies seed and layer.
    public var key: SIMD2<UInt32>
    /// Fourth counter word.
    public var step: UInt32
    /// Global number of the first time index.
    public var firstTime: UInt32
    /// Global number of the first row.
    public var firstRow: UInt32
    /// T.
    public var times: Int
    /// N.
    public var rows: Int
    /// Elements of a row.
    public var width: Int
    /// Whether memory is (N, T, width) instead of (T, N, width).
    public var rowsFirst: Bool
    /// Bits below it drop the element: p · 2¹⁶, in the high half of the word.
    public var threshold: UInt32
    /// Factor of the kept elements: 1 / (1 − p).
    public var scale: Double

    /// All fields, in order.
    public init(
        key: SIMD2<UInt32>, step: UInt32, firstTime: UInt32, firstRow: UInt32, times: Int, rows: Int, width: Int,
        rowsFirst: Bool, threshold: UInt32, scale: Double
    ) {
        self.key = key
        self.step = step
        self.firstTime = firstTime
        self.firstRow = firstRow
        self.times = times
        self.rows = rows
        self.width = width
        self.rowsFirst = rowsFirst
        self.threshold = threshold
        self.scale = scale
    }
}
