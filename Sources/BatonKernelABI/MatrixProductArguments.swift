/// Left operand of a chain: element k of row r is at `base[r·rowStride + k]`, and `blockGap` further for every `blockDepth`
/// elements before it; against panels of integers a row is one of `QuantizedRow`, in words.
public struct ChainOperand {
    /// First element.
    public var base: UnsafePointer<Float>
    /// Distance between rows, in elements.
    public var rowStride: Int
    /// K, of integers their `PanelFormat.chainLength`; 0 makes the chain empty.
    public var depth: Int
    /// First k of this chain in the packed panels.
    public var panelDepthStart: Int
    /// Elements that stand side by side; a divisor of K.
    public var blockDepth: Int
    /// Elements between two blocks.
    public var blockGap: Int

    /// Rows up to which a step waits for memory rather than for products.
    @_transparent public static var fewRows: Int { 4 }

    /// All values at once; nil is one block.
    public init(
        base: UnsafePointer<Float>, rowStride: Int, depth: Int, panelDepthStart: Int = 0, blockDepth: Int? = nil,
        blockGap: Int = 0
    ) {
        self.blockDepth = blockDepth ?? depth
        self.blockGap = blockGap
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
    /// Strips of a panel at most, if gates do not say how many.
    @_transparent public static var stripLimit: Int { 4 }

    /// First element.
    public var base: UnsafeRawPointer
    /// `format.chainLength` of K.
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

/// C = start + A·B, where every element of C is one chain of fused multiply-adds, k ascending; of integers, one for every
/// piece of `QuantizedRow`.
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
    /// Space for sums that are not complete: `KernelTable.scratchCount` floats.
    public var scratch: UnsafeMutablePointer<Float>
    /// Strips of every panel, or 0 for balanced panels of at most `PackedPanels.stripLimit`.
    public var panelStrips: Int
    /// Distance between the targets of consecutive panels, if `panelStrips` is not 0.
    public var panelStride: Int

    /// All values at once.
    public init(
        operand: ChainOperand, panels: PackedPanels, target: StripTarget, rows: Int, columns: Int, start: Start,
        adds: Bool = false, bias: UnsafePointer<Float>? = nil, scratch: UnsafeMutablePointer<Float>,
        panelStrips: Int = 0, panelStride: Int = 0
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
        self.scratch = scratch
    }
}
