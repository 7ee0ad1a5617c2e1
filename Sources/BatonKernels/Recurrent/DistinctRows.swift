/// The rows of an input of which many are equal, such as embedded tokens: x·Wᵀ is made once for all that are equal.
///
/// The sums of every row are the same chains as without, so no bits change. Rows of the input are found in `numbers` by their
/// distance from its first: both strides of the input must be multiples of its width I.
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
