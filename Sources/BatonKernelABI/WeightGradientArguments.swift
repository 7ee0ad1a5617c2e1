/// Part of a weight gradient: dW[j, ·] += Σ over the leaves of a subtree, for the columns j of a few strips of
/// the left operand and the columns of one panel of the right one.
///
/// Rows follow each other leaf by leaf, inside a leaf in chain order (t from T−1 to 0, rows ascending). Both operands are
/// packed in that order.
public struct OuterProductArguments {
    /// What `packLeftTiles` made of the columns j, for the same leaves.
    public var left: UnsafePointer<Float>
    /// Columns j of the left operand.
    public var leftColumns: Int
    /// Rows of `rightStrips` lane widths, of each leaf its `rightDepths`. What follows them in memory is fetched meanwhile,
    /// as the panel to come.
    public var right: UnsafePointer<Float>
    /// Strips of the panel, 1 to 4.
    public var rightStrips: Int
    /// Columns of the right operand that exist, ≤ `rightStrips` · lanes.
    public var rightColumns: Int
    /// Rows of each leaf of one subtree.
    public var leafDepths: UnsafePointer<Int>
    /// Rows of each leaf, the first ones, that the right operand has; those that follow are zero there.
    public var rightDepths: UnsafePointer<Int>
    /// Leaves of the subtree, a power of two.
    public var leafCount: Int
    /// Row j of the gradient at `target + j·targetStride`.
    public var target: UnsafeMutablePointer<Float>
    /// Distance between rows of the gradient.
    public var targetStride: Int
    /// Space for chains and the partial sums of the tree: (1 + `SubtreeColumns.levels`) · leftColumns · rightStrips
    /// · lanes floats.
    public var scratch: UnsafeMutablePointer<Float>
    /// Whether the target holds the chain of the one leaf over the rows before these, which go on with it.
    public var continuesChain: Bool

    /// All values at once.
    public init(
        left: UnsafePointer<Float>, leftColumns: Int, right: UnsafePointer<Float>, rightStrips: Int, rightColumns: Int,
        leafDepths: UnsafePointer<Int>, rightDepths: UnsafePointer<Int>, leafCount: Int,
        target: UnsafeMutablePointer<Float>, targetStride: Int, scratch: UnsafeMutablePointer<Float>,
        continuesChain: Bool = false
    ) {
        self.left = left
        self.leftColumns = leftColumns
        self.right = right
        self.rightStrips = rightStrips
        self.rightColumns = rightColumns
        self.leafDepths = leafDepths
        self.rightDepths = rightDepths
        self.leafCount = leafCount
        self.target = target
        self.targetStride = targetStride
        self.scratch = scratch
        self.continuesChain = continuesChain
    }
}

/// Adjoining columns of the rows of one subtree.
public struct SubtreeColumns {
    /// First column; row k begins at `source + offsets[k]`.
    public var source: UnsafePointer<Float>
    /// Offsets of the rows of the subtree, in the order of `OuterProductArguments`.
    public var offsets: UnsafePointer<Int>
    /// Number of columns.
    public var count: Int
    /// Rows of each leaf of the subtree.
    public var leafDepths: UnsafePointer<Int>
    /// Leaves of the subtree, a power of two, at most 2^(`levels` − 1).
    public var leafCount: Int

    /// Sizes that a subtree, and those within it, may have: 1, 2, 4 and 8 leaves.
    @_transparent public static var levels: Int { 4 }

    /// All values at once.
    public init(
        source: UnsafePointer<Float>, offsets: UnsafePointer<Int>, count: Int, leafDepths: UnsafePointer<Int>,
        leafCount: Int
    ) {
        self.source = source
        self.offsets = offsets
        self.count = count
        self.leafDepths = leafDepths
        self.leafCount = leafCount
    }
}

/// Packs left columns for `outerProduct`, in pieces of leaves and tiles of columns as that kernel works on them.
public struct LeftTilePackArguments {
    /// What to pack.
    public var columns: SubtreeColumns
    /// As many floats as the subtree has rows, times the columns.
    public var target: UnsafeMutablePointer<Float>

    /// All values at once.
    public init(columns: SubtreeColumns, target: UnsafeMutablePointer<Float>) {
        self.columns = columns
        self.target = target
    }
}

/// Sums of columns over the leaves of a subtree (a bias gradient), added to the target.
public struct ColumnSumArguments {
    /// What to sum up; at most four lane widths of columns.
    public var columns: SubtreeColumns
    /// One sum per column, added to.
    public var target: UnsafeMutablePointer<Float>
    /// Where the same sums are added too; if chains are continued it holds the same ones.
    public var secondTarget: UnsafeMutablePointer<Float>?
    /// As `OuterProductArguments.continuesChain`.
    public var continuesChain: Bool
    /// Space for sums that are not complete: `SubtreeColumns.levels` · 4 · lanes floats.
    public var scratch: UnsafeMutablePointer<Float>

    /// All values at once.
    public init(
        columns: SubtreeColumns, target: UnsafeMutablePointer<Float>, secondTarget: UnsafeMutablePointer<Float>? = nil,
        continuesChain: Bool = false, scratch: UnsafeMutablePointer<Float>
    ) {
        self.columns = columns
        self.target = target
        self.secondTarget = secondTarget
        self.continuesChain = continuesChain
        self.scratch = scratch
    }
}
