/// Left operand of a chain: element k of row r is at `base[r·rowStride + k]`.
public struct ChainOperand {
    /// First element.
    public var base: UnsafePointer<Float>
    /// Distance between rows, in elements.
    public var rowStride: Int
    /// K; 0 makes the chain empty.
    public var depth: Int
    /// First k of this chain in the packed panels.
    public var panelDepthStart: Int

    /// All values at once.
    public init(base: UnsafePointer<Float>, rowStride: Int, depth: Int, panelDepthStart: Int = 0) {
        self.base = base
        self.rowStride = rowStride
        self.depth = depth
        self.panelDepthStart = panelDepthStart
    }
}

/// Columns of the right operand, packed: strips of one lane width, consecutive strips joined to panels.
///
/// Panel of strips s ..< s+v begins `format.bytes(rows: depth, columns: s·lanes)` bytes from `base`; inside it row k holds
/// v·lanes columns. Columns beyond the matrix are zero.
public struct PackedPanels {
    /// First element.
    public var base: UnsafeRawPointer
    /// K.
    public var depth: Int
    /// Number of strips.
    public var stripCount: Int
    /// How elements are held.
    public var format: PanelFormat

    /// All values at once.
    public init(base: UnsafeRawPointer, depth: Int, stripCount: Int, format: PanelFormat = .float32) {
        self.base = base
        self.depth = depth
        self.stripCount = stripCount
        self.format = format
    }
}

/// A block of results: element (row, strip s, lane l) at `base[row·rowStride + s·stripStride + l]`.
public struct StripTarget {
    /// First element.
    public var base: UnsafeMutablePointer<Float>
    /// Distance between rows, in elements.
    public var rowStride: Int
    /// Distance between strips, in elements.
    public var stripStride: Int

    /// All values at once.
    public init(base: UnsafeMutablePointer<Float>, rowStride: Int, stripStride: Int) {
        self.base = base
        self.rowStride = rowStride
        self.stripStride = stripStride
    }
}

/// C = start + A·B, where every element of C is one chain of fused multiply-adds, k ascending.
public struct MatrixProductArguments {
    /// What a chain begins with.
    public enum Start: Int { case zero, bias, target }
    /// A, row by row.
    public var operand: ChainOperand
    /// B, packed.
    public var panels: PackedPanels
    /// C.
    public var target: StripTarget
    /// Rows of A and C.
    public var rows: Int
    /// Valid columns; the last strip is stored partially if they do not fill it.
    public var columns: Int
    /// What every chain begins with.
    public var start: Start
    /// Whether the chain is added to the target at its end, instead of stored.
    public var adds: Bool
    /// `stripCount` · lanes values; read if `start` is `bias`.
    public var bias: UnsafePointer<Float>?
    /// Strips of every panel, or 0 for balanced panels of at most four.
    public var panelStrips: Int
    /// Distance between the targets of consecutive panels, if `panelStrips` is not 0.
    public var panelStride: Int

    /// All values at once.
    public init(
        operand: ChainOperand, panels: PackedPanels, target: StripTarget, rows: Int, columns: Int, start: Start,
        adds: Bool = false, bias: UnsafePointer<Float>? = nil, panelStrips: Int = 0, panelStride: Int = 0
    ) {
        self.panelStrips = panelStrips
        self.panelStride = panelStride
        self.operand = operand
        self.panels = panels
        self.target = target
        self.rows = rows
        self.columns = columns
        self.start = start
        self.adds = adds
        self.bias = bias
    }
}

/// Part of a weight gradient: dW[j, ·] += Σ over the leaves of a subtree, for the columns j of a few strips of
/// the left operand and the columns of one panel of the right one.
///
/// Rows follow each other leaf by leaf, inside a leaf in chain order (t from T−1 to 0, rows ascending). The right
/// operand is packed in that order; the left one is read where it lies.
public struct OuterProductArguments {
    /// First column of the strips; row k begins at `left + leftOffsets[k]`.
    public var left: UnsafePointer<Float>
    /// Offsets of the rows of the subtree, and `OuterProductArguments.lookahead` more that may be fetched early.
    public var leftOffsets: UnsafePointer<Int>
    /// Columns j of the left operand.
    public var leftColumns: Int
    /// Rows of `rightStrips` lane widths.
    public var right: UnsafePointer<Float>
    /// Strips of the panel, 1 to 4.
    public var rightStrips: Int
    /// Columns of the right operand that exist, ≤ `rightStrips` · lanes.
    public var rightColumns: Int
    /// Rows of each leaf of one subtree.
    public var leafDepths: UnsafePointer<Int>
    /// Leaves of the subtree, a power of two.
    public var leafCount: Int
    /// Row j of the gradient at `target + j·targetStride`.
    public var target: UnsafeMutablePointer<Float>
    /// Distance between rows of the gradient.
    public var targetStride: Int
    /// Space for the partial sums of the tree: (1 + log₂ leafCount) · leftColumns · rightStrips · lanes
    /// floats.
    public var scratch: UnsafeMutablePointer<Float>
    /// Whether the target holds the chain of the one leaf over the rows before these, which go on with it.
    public var continuesChain: Bool
    /// How many rows ahead left rows are fetched: they lie on different pages, which no prefetcher of the hardware
    /// foresees.
    public static var lookahead: Int { 24 }

    /// All values at once.
    public init(
        left: UnsafePointer<Float>, leftOffsets: UnsafePointer<Int>, leftColumns: Int, right: UnsafePointer<Float>,
        rightStrips: Int,
        rightColumns: Int, leafDepths: UnsafePointer<Int>, leafCount: Int, target: UnsafeMutablePointer<Float>,
        targetStride: Int, scratch: UnsafeMutablePointer<Float>, continuesChain: Bool = false
    ) {
        self.left = left
        self.leftOffsets = leftOffsets
        self.leftColumns = leftColumns
        self.right = right
        self.rightStrips = rightStrips
        self.rightColumns = rightColumns
        self.leafDepths = leafDepths
        self.leafCount = leafCount
        self.target = target
        self.targetStride = targetStride
        self.scratch = scratch
        self.continuesChain = continuesChain
    }
}

/// Sums of the columns of one strip over the leaves of a subtree (a bias gradient), added to the target.
public struct ColumnSumArguments {
    /// As `OuterProductArguments.left`.
    public var source: UnsafePointer<Float>
    /// As `OuterProductArguments.leftOffsets`.
    public var offsets: UnsafePointer<Int>
    /// Columns of the strip that exist, ≤ lanes.
    public var columns: Int
    /// Rows of each leaf of the subtree.
    public var leafDepths: UnsafePointer<Int>
    /// Leaves of the subtree, a power of two.
    public var leafCount: Int
    /// One sum per column, added to.
    public var target: UnsafeMutablePointer<Float>
    /// As `OuterProductArguments.continuesChain`.
    public var continuesChain: Bool

    /// All values at once.
    public init(
        source: UnsafePointer<Float>, offsets: UnsafePointer<Int>, columns: Int, leafDepths: UnsafePointer<Int>,
        leafCount: Int,
        target: UnsafeMutablePointer<Float>, continuesChain: Bool = false
    ) {
        self.continuesChain = continuesChain
        self.source = source
        self.offsets = offsets
        self.columns = columns
        self.leafDepths = leafDepths
        self.leafCount = leafCount
        self.target = target
    }
}

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
