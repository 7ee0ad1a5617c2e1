/// Makes rows of floats the left operand of chains against panels in reduced precision.
public struct RowConversionArguments {
    /// Floats, row by row.
    public var source: ChainOperand
    /// The number of rows.
    public var rows: Int
    /// Row r at `target + r·targetStride`; `slackWords` beyond the last one are written too.
    public var target: UnsafeMutablePointer<Float>
    /// `PanelFormat.rowWords` or more.
    public var targetStride: Int

    /// Words that may be written beyond the last row: a vector.
    public static var slackWords: Int { 16 }

    /// All values at once.
    public init(source: ChainOperand, rows: Int, target: UnsafeMutablePointer<Float>, targetStride: Int) {
        self.source = source
        self.rows = rows
        self.target = target
        self.targetStride = targetStride
    }
}
