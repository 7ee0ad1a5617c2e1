/// Copies the leading columns of rows `stride` apart into packed rows of `width` floats, the rest zero.
public struct RowPackArguments {
    /// First row to copy.
    public var source: UnsafePointer<Float>
    /// Distance between the rows, in elements.
    public var stride: Int
    /// Number of rows.
    public var rows: Int
    /// Columns to copy of each row.
    public var columns: Int
    /// A multiple of lanes, ≥ columns.
    public var width: Int
    /// The packed rows.
    public var target: UnsafeMutablePointer<Float>

    /// All values at once.
    public init(
        source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int, width: Int,
        target: UnsafeMutablePointer<Float>
    ) {
        self.source = source
        self.stride = stride
        self.rows = rows
        self.columns = columns
        self.width = width
        self.target = target
    }
}

/// Rows of a matrix that become one strip of a panel: `target[k·targetStride + r] = source[r·stride + k]`.
public struct StripTransposeArguments {
    /// First row.
    public var source: UnsafePointer<Float>
    /// Distance between the rows, in elements.
    public var stride: Int
    /// Rows, at most the lanes of a vector; the lanes of the others become zero.
    public var rows: Int
    /// Elements of every row.
    public var depth: Int
    /// First vector of the strip.
    public var target: UnsafeMutablePointer<Float>
    /// Distance between its vectors, in elements.
    public var targetStride: Int

    /// All values at once.
    public init(
        source: UnsafePointer<Float>, stride: Int, rows: Int, depth: Int, target: UnsafeMutablePointer<Float>,
        targetStride: Int
    ) {
        self.source = source
        self.stride = stride
        self.rows = rows
        self.depth = depth
        self.target = target
        self.targetStride = targetStride
    }
}
