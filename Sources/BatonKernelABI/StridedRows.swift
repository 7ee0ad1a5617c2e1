/// Rows that are read: element k of row n is at `base[n·stride + k]`.
public struct StridedRows {
    /// First element.
    public var base: UnsafePointer<Float>
    /// Distance between rows, in elements.
    public var stride: Int

    /// All values at once.
    @_transparent public init(_ base: UnsafePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }

    /// Row n.
    @_transparent public func row(_ row: Int) -> UnsafePointer<Float> { base + row &* stride }

    /// The rows from one on.
    public func from(row: Int) -> StridedRows { StridedRows(self.row(row), stride: stride) }

    /// The rows, without their first columns.
    public func from(column: Int) -> StridedRows { StridedRows(base + column, stride: stride) }
}

/// Rows that are written, as `StridedRows`.
public struct MutableStridedRows {
    /// First element.
    public var base: UnsafeMutablePointer<Float>
    /// Distance between rows, in elements.
    public var stride: Int

    /// All values at once.
    @_transparent public init(_ base: UnsafeMutablePointer<Float>, stride: Int) {
        self.base = base
        self.stride = stride
    }

    /// Row n.
    @_transparent public func row(_ row: Int) -> UnsafeMutablePointer<Float> { base + row &* stride }

    /// The rows, without their first columns.
    public func from(column: Int) -> MutableStridedRows { MutableStridedRows(base + column, stride: stride) }
}

/// The gates of a step: gate g of unit u of row n is at `base[n·rowStride + g·gateStride + u]`.
public struct GateRows {
    /// First element.
    public var base: UnsafeMutablePointer<Float>
    /// Distance between rows, in elements.
    public var rowStride: Int
    /// Padded hidden size: the distance between gates.
    public var gateStride: Int

    /// All values at once.
    @_transparent public init(base: UnsafeMutablePointer<Float>, rowStride: Int, gateStride: Int) {
        self.base = base
        self.rowStride = rowStride
        self.gateStride = gateStride
    }

    /// The first gate of row n.
    @_transparent public func row(_ row: Int) -> UnsafeMutablePointer<Float> { base + row &* rowStride }
}
