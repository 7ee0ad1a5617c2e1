import BatonKernelABI
import CLanes

/// One row of a register tile: up to four accumulators.
struct Quad {
    var v0 = Lane()
    var v1 = Lane()
    var v2 = Lane()
    var v3 = Lane()

    @inline(__always) init() {}

    /// `vectors` (a constant at every call) consecutive vectors, `stride` floats apart.
    @inline(__always) init(vectors: Int, loading pointer: UnsafePointer<Float>, stride: Int) {
        v0 = load(pointer)
        if vectors > 1 { v1 = load(pointer + stride) }
        if vectors > 2 { v2 = load(pointer + 2 &* stride) }
        if vectors > 3 { v3 = load(pointer + 3 &* stride) }
    }

    /// The vectors of panel row `part` at `columns`.
    @_transparent init(vectors: Int, columns: UnsafeRawPointer, format: PanelFormat, part: Int) {
        v0 = loadColumn(columns, 0, format, part)
        if vectors > 1 { v1 = loadColumn(columns, 1, format, part) }
        if vectors > 2 { v2 = loadColumn(columns, 2, format, part) }
        if vectors > 3 { v3 = loadColumn(columns, 3, format, part) }
    }

    /// vector v += scalar · `row`'s.
    @_transparent mutating func multiplyAdd(
        _ vectors: Int, _ scalar: Lane, _ row: Quad, _ format: PanelFormat = .float32
    ) {
        v0 = added(scalar, row.v0, to: v0, format)
        if vectors > 1 { v1 = added(scalar, row.v1, to: v1, format) }
        if vectors > 2 { v2 = added(scalar, row.v2, to: v2, format) }
        if vectors > 3 { v3 = added(scalar, row.v3, to: v3, format) }
    }

    /// The scales of a panel of gates; 1 for panels without, which changes no bits.
    @inline(__always) init(scales: UnsafePointer<Float>?, panel: Int, vectors: Int) {
        if let scales {
            self.init(vectors: vectors, loading: scales + panel &* vectors &* laneCount, stride: laneCount)
        } else {
            self.init()
            (v0, v1, v2, v3) = (splat(1), splat(1), splat(1), splat(1))
        }
    }
}

/// One element of the left operand for each row of a tile, in all lanes.
///
/// With these in registers each column vector is needed for one group of products only: of the sixteen registers of
/// AVX2 a tile of 3 × 4 accumulators takes all.
struct RowScalars {
    var a0: Lane
    var a1 = Lane()
    var a2 = Lane()
    var a3 = Lane()
    var a4 = Lane()
    var a5 = Lane()

    /// Row r at `pointer[r·stride]`.
    @_transparent init(rows: Int, _ pointer: UnsafePointer<Float>, stride: Int) {
        a0 = splat(pointer[0])
        if rows > 1 { a1 = splat(pointer[stride]) }
        if rows > 2 { a2 = splat(pointer[2 &* stride]) }
        if rows > 3 { a3 = splat(pointer[3 &* stride]) }
        if rows > 4 { a4 = splat(pointer[4 &* stride]) }
        if rows > 5 { a5 = splat(pointer[5 &* stride]) }
    }
}

/// Up to six rows of accumulators. `rows` and `vectors` are constants at every call after inlining, so the tile
/// lives in registers and unused parts vanish.
struct Tile {
    var r0 = Quad()
    var r1 = Quad()
    var r2 = Quad()
    var r3 = Quad()
    var r4 = Quad()
    var r5 = Quad()

    @inline(__always) init() {}

    /// row r, column vector v += scalar r · column vector v of panel row `part` (0, or 1 where a format holds two rows
    /// side by side) at `columns`.
    @_transparent mutating func multiplyAdd(
        rows: Int, vectors: Int, _ scalars: RowScalars, _ columns: UnsafeRawPointer, format: PanelFormat = .float32,
        part: Int = 0
    ) {
        let column = loadColumn(columns, 0, format, part)
        r0.v0 = added(scalars.a0, column, to: r0.v0, format)
        if rows > 1 { r1.v0 = added(scalars.a1, column, to: r1.v0, format) }
        if rows > 2 { r2.v0 = added(scalars.a2, column, to: r2.v0, format) }
        if rows > 3 { r3.v0 = added(scalars.a3, column, to: r3.v0, format) }
        if rows > 4 { r4.v0 = added(scalars.a4, column, to: r4.v0, format) }
        if rows > 5 { r5.v0 = added(scalars.a5, column, to: r5.v0, format) }
        if vectors > 1 {
            let column = loadColumn(columns, 1, format, part)
            r0.v1 = added(scalars.a0, column, to: r0.v1, format)
            if rows > 1 { r1.v1 = added(scalars.a1, column, to: r1.v1, format) }
            if rows > 2 { r2.v1 = added(scalars.a2, column, to: r2.v1, format) }
            if rows > 3 { r3.v1 = added(scalars.a3, column, to: r3.v1, format) }
            if rows > 4 { r4.v1 = added(scalars.a4, column, to: r4.v1, format) }
            if rows > 5 { r5.v1 = added(scalars.a5, column, to: r5.v1, format) }
        }
        if vectors > 2 {
            let column = loadColumn(columns, 2, format, part)
            r0.v2 = added(scalars.a0, column, to: r0.v2, format)
            if rows > 1 { r1.v2 = added(scalars.a1, column, to: r1.v2, format) }
            if rows > 2 { r2.v2 = added(scalars.a2, column, to: r2.v2, format) }
            if rows > 3 { r3.v2 = added(scalars.a3, column, to: r3.v2, format) }
            if rows > 4 { r4.v2 = added(scalars.a4, column, to: r4.v2, format) }
            if rows > 5 { r5.v2 = added(scalars.a5, column, to: r5.v2, format) }
        }
        if vectors > 3 {
            let column = loadColumn(columns, 3, format, part)
            r0.v3 = added(scalars.a0, column, to: r0.v3, format)
            if rows > 1 { r1.v3 = added(scalars.a1, column, to: r1.v3, format) }
            if rows > 2 { r2.v3 = added(scalars.a2, column, to: r2.v3, format) }
            if rows > 3 { r3.v3 = added(scalars.a3, column, to: r3.v3, format) }
            if rows > 4 { r4.v3 = added(scalars.a4, column, to: r4.v3, format) }
            if rows > 5 { r5.v3 = added(scalars.a5, column, to: r5.v3, format) }
        }
    }

    /// The same with the scalars at `left[r·stride]`, holding in registers whichever is fewer, scalars or column vectors.
    @_transparent mutating func multiplyAdd(
        rows: Int, vectors: Int, _ left: UnsafePointer<Float>, stride: Int, _ columns: UnsafeRawPointer,
        format: PanelFormat, part: Int
    ) {
        if rows <= vectors {
            multiplyAdd(
                rows: rows, vectors: vectors, RowScalars(rows: rows, left, stride: stride), columns, format: format,
                part: part)
        } else {
            let row = Quad(vectors: vectors, columns: columns, format: format, part: part)
            r0.multiplyAdd(vectors, splat(left[0]), row, format)
            if rows > 1 { r1.multiplyAdd(vectors, splat(left[stride]), row, format) }
            if rows > 2 { r2.multiplyAdd(vectors, splat(left[2 &* stride]), row, format) }
            if rows > 3 { r3.multiplyAdd(vectors, splat(left[3 &* stride]), row, format) }
            if rows > 4 { r4.multiplyAdd(vectors, splat(left[4 &* stride]), row, format) }
            if rows > 5 { r5.multiplyAdd(vectors, splat(left[5 &* stride]), row, format) }
        }
    }

    /// `chainUnroll` elements of all chains: element k of row r at `left[k·step + r·stride]`, row k of the panel from
    /// `columns` on, `width` vectors from row to row. The last four are constants.
    @_transparent mutating func multiplyAddRun(
        _ left: UnsafePointer<Float>, stride: Int, step: Int, _ columns: UnsafeRawPointer, rows: Int, vectors: Int,
        width: Int, format: PanelFormat = .float32
    ) {
        let together = format.rowsTogether
        let rowBytes = width &* format.bytes(rows: together, columns: laneCount)
        multiplyAdd(rows: rows, vectors: vectors, left, stride: stride, columns, format: format, part: 0)
        multiplyAdd(
            rows: rows, vectors: vectors, left + step, stride: stride, columns + 1 / together &* rowBytes,
            format: format, part: 1 % together)
        if chainUnroll > 2 {
            multiplyAdd(
                rows: rows, vectors: vectors, left + 2 &* step, stride: stride, columns + 2 / together &* rowBytes,
                format: format, part: 0)
            multiplyAdd(
                rows: rows, vectors: vectors, left + 3 &* step, stride: stride, columns + 3 / together &* rowBytes,
                format: format, part: 3 % together)
        }
    }
}

/// An element of a chain: scalar · column, or the products of two or four terms, + sum.
@_transparent func added(_ scalar: Lane, _ column: Lane, to sum: Lane, _ format: PanelFormat) -> Lane {
    switch format {
    case .float32, .bfloat16: mulAdd(scalar, column, sum)
    case .bfloat16Dot: addBFloat16PairProducts(sum, scalar, column)
    case .int8: addPairProducts(sum, scalar, column)
    case .int8Dot: addFourProducts(sum, scalar, column)
    }
}

/// Column vector `vector` of a panel row.
///
/// - Parameter sharesLoad: one load serves both rows that stand side by side, for who meets them one after the other. A tile
///   meets the second with all its rows when it is done with the first: it would need registers for both.
@_transparent func loadColumn(
    _ columns: UnsafeRawPointer, _ vector: Int, _ format: PanelFormat, _ part: Int, sharesLoad: Bool = false
) -> Lane {
    let words = columns + vector &* 4 &* laneCount
    switch format {
    case .float32, .bfloat16Dot, .int8Dot: return load(words.assumingMemoryBound(to: Float.self))
    case .bfloat16:
        if part == 1 { return loadLowerBFloat16(words) }
        return sharesLoad ? upperHalves(load(words.assumingMemoryBound(to: Float.self))) : loadUpperBFloat16(words)
    case .int8: return part == 0 ? loadEvenBytes(words) : loadOddBytes(words)
    }
}

/// Every lane without its lower 16 bits.
@_transparent func upperHalves(_ x: Lane) -> Lane {
    unsafeBitCast(unsafeBitCast(x, to: LaneUnsigned.self) & LaneUnsigned(repeating: 0xFFFF_0000), to: Lane.self)
}
