/// The rows of an input of which many are equal, such as embedded tokens: x·W is made once for all that are equal.
///
/// The sums of every row are the same chains as without, so no bits change.
public struct DistinctRows<Scalar> {
    /// One of each, (D, I) contiguous.
    public var rows: UnsafePointer<Scalar>
    /// D.
    public var count: Int
    /// For every row of the input, in its order in memory, which of the D it equals.
    public var numbers: UnsafePointer<Int32>

    /// All values at once.
    public init(rows: UnsafePointer<Scalar>, count: Int, numbers: UnsafePointer<Int32>) {
        self.rows = rows
        self.count = count
        self.numbers = numbers
    }
}
