/// A dropout mask over rows (t, n) of `width` elements, as a function of global numbers only.
///
/// Element u of row (t, n) is kept if word `(u/16) mod 4` of the Philox block with counter
/// `((u/64)·16 + u mod 16, time(t), row(n), step)` is not below `threshold`. Sixteen neighbours use the same word of
/// sixteen blocks, so vectors of 4, 8 or 16 lanes need no transposition.
public struct DropoutMask: Sendable {
    /// Philox key: identifies seed and layer.
    public var key: SIMD2<UInt32>
    /// Fourth counter word.
    public var step: UInt32
    /// Global number of the first time index.
    public var firstTime: UInt32
    /// Global number of the first row.
    public var firstRow: UInt32
    /// T and N.
    public var times: Int
    /// N.
    public var rows: Int
    /// Elements of a row.
    public var width: Int
    /// Whether memory is (N, T, width) instead of (T, N, width).
    public var rowsFirst: Bool
    /// Words below it drop the element: p · 2³².
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
