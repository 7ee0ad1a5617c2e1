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

    /// Calls `body` for each row of the tile.
    @inline(__always) mutating func forEachRow(_ rows: Int, _ body: (inout Quad, Int) -> Void) {
        body(&r0, 0)
        if rows > 1 { body(&r1, 1) }
        if rows > 2 { body(&r2, 2) }
        if rows > 3 { body(&r3, 3) }
        if rows > 4 { body(&r4, 4) }
        if rows > 5 { body(&r5, 5) }
    }

    /// row r, column vector v += scalar r · column vector v of panel row `part` (0, or 1 where a format holds two rows
    /// side by side) at `columns`.
    @_transparent mutating func multiplyAdd(
        rows: Int, vectors: Int, _ scalars: RowScalars, _ columns: UnsafeRawPointer, format: PanelFormat = .float32,
        part: Int = 0
    ) {

        let column = loadColumn(columns, 0, format, part)
        r0.v0 = mulAdd(scalars.a0, column, r0.v0)
        if rows > 1 { r1.v0 = mulAdd(scalars.a1, column, r1.v0) }
        if rows > 2 { r2.v0 = mulAdd(scalars.a2, column, r2.v0) }
        if rows > 3 { r3.v0 = mulAdd(scalars.a3, column, r3.v0) }
        if rows > 4 { r4.v0 = mulAdd(scalars.a4, column, r4.v0) }
        if rows > 5 { r5.v0 = mulAdd(scalars.a5, column, r5.v0) }
        if vectors > 1 {
            let column = loadColumn(columns, 1, format, part)
            r0.v1 = mulAdd(scalars.a0, column, r0.v1)
            if rows > 1 { r1.v1 = mulAdd(scalars.a1, column, r1.v1) }
            if rows > 2 { r2.v1 = mulAdd(scalars.a2, column, r2.v1) }
            if rows > 3 { r3.v1 = mulAdd(scalars.a3, column, r3.v1) }
            if rows > 4 { r4.v1 = mulAdd(scalars.a4, column, r4.v1) }
            if rows > 5 { r5.v1 = mulAdd(scalars.a5, column, r5.v1) }
        }
        if vectors > 2 {
            let column = loadColumn(columns, 2, format, part)
            r0.v2 = mulAdd(scalars.a0, column, r0.v2)
            if rows > 1 { r1.v2 = mulAdd(scalars.a1, column, r1.v2) }
            if rows > 2 { r2.v2 = mulAdd(scalars.a2, column, r2.v2) }
            if rows > 3 { r3.v2 = mulAdd(scalars.a3, column, r3.v2) }
            if rows > 4 { r4.v2 = mulAdd(scalars.a4, column, r4.v2) }
            if rows > 5 { r5.v2 = mulAdd(scalars.a5, column, r5.v2) }
        }
        if vectors > 3 {
            let column = loadColumn(columns, 3, format, part)
            r0.v3 = mulAdd(scalars.a0, column, r0.v3)
            if rows > 1 { r1.v3 = mulAdd(scalars.a1, column, r1.v3) }
            if rows > 2 { r2.v3 = mulAdd(scalars.a2, column, r2.v3) }
            if rows > 3 { r3.v3 = mulAdd(scalars.a3, column, r3.v3) }
            if rows > 4 { r4.v3 = mulAdd(scalars.a4, column, r4.v3) }
            if rows > 5 { r5.v3 = mulAdd(scalars.a5, column, r5.v3) }
        }
    }
}

extension Tile {
    /// `chainUnroll` elements of all chains: element k of row r at `left[k·step + r·stride]`, row k of the panel from
    /// `columns` on. The last four are constants.
    @_transparent mutating func multiplyAddRun(
        _ left: UnsafePointer<Float>, stride: Int, step: Int, _ columns: UnsafeRawPointer, rows: Int, vectors: Int,
        format: PanelFormat = .float32
    ) {
        let together = format.rowsTogether
        let rowBytes = vectors &* format.bytes(rows: together, columns: laneCount)
        multiplyAdd(
            rows: rows, vectors: vectors, RowScalars(rows: rows, left, stride: stride), columns, format: format)
        multiplyAdd(
            rows: rows, vectors: vectors, RowScalars(rows: rows, left + step, stride: stride),
            columns + 1 / together &* rowBytes, format: format, part: 1 % together)
        if chainUnroll > 2 {
            multiplyAdd(
                rows: rows, vectors: vectors, RowScalars(rows: rows, left + 2 &* step, stride: stride),
                columns + 2 / together &* rowBytes, format: format)
            multiplyAdd(
                rows: rows, vectors: vectors, RowScalars(rows: rows, left + 3 &* step, stride: stride),
                columns + 3 / together &* rowBytes, format: format, part: 3 % together)
        }
    }
}

/// Column vector `vector` of a panel row.
@_transparent func loadColumn(
    _ columns: UnsafeRawPointer, _ vector: Int, _ format: PanelFormat, _ part: Int
) -> Lane {
    switch format {
    case .float32: load((columns + vector &* 4 &* laneCount).assumingMemoryBound(to: Float.self))
    case .bfloat16:
        part == 0
            ? loadLowerBFloat16(columns + vector &* 4 &* laneCount)
            : loadUpperBFloat16(columns + vector &* 4 &* laneCount)
    case .int8: loadInteger8(columns + vector &* laneCount)
    }
}

/// Runs `body` with the row count, 4 to 6, as a constant.
@inline(__always) func withTallRows(_ rows: Int, _ body: (Int) -> Void) {
    switch rows {
    case 6: body(6)
    case 5: body(5)
    default: body(4)
    }
}

/// Runs `body` with the row count, 1 to 3, as a constant.
@inline(__always) func withShortRows(_ rows: Int, _ body: (Int) -> Void) {
    switch rows {
    case 3: body(3)
    case 2: body(2)
    default: body(1)
    }
}
