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

    @inline(__always) mutating func multiplyAdd(_ vectors: Int, _ scalar: Float, _ columns: Quad) {
        let a = splat(scalar)
        v0 = mulAdd(a, columns.v0, v0)
        if vectors > 1 { v1 = mulAdd(a, columns.v1, v1) }
        if vectors > 2 { v2 = mulAdd(a, columns.v2, v2) }
        if vectors > 3 { v3 = mulAdd(a, columns.v3, v3) }
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

    /// Continues the chain of every accumulator: row r, column vector v += Σₖ A[r, k]·B[k, v], k ascending.
    ///
    /// `panelWidth` is the distance between rows k of the panel in floats. `prefetches`: fetch the panel ahead of its
    /// use, worth it only for a panel that a single tile reads: where several follow, the processor's own prefetching
    /// is as good, and the instructions cost more than they bring.
    @inline(__always) mutating func extend(
        rows: Int, vectors: Int, _ operand: ChainOperand, firstRow: Int, panel: UnsafePointer<Float>, panelWidth: Int,
        prefetches: Bool = false
    ) {
        let s = operand.rowStride
        var a = operand.base + firstRow &* s
        var b = panel + operand.panelDepthStart &* panelWidth
        var remaining = operand.depth
        while remaining > 0 {
            if prefetches {
                let ahead = b + 16 &* panelWidth
                baton_prefetch_to_l1(ahead)
                if vectors > 1 { baton_prefetch_to_l1(ahead + laneCount) }
                if vectors > 2 { baton_prefetch_to_l1(ahead + 2 &* laneCount) }
                if vectors > 3 { baton_prefetch_to_l1(ahead + 3 &* laneCount) }
            }
            let columns = Quad(vectors: vectors, loading: b, stride: laneCount)
            r0.multiplyAdd(vectors, a[0], columns)
            if rows > 1 { r1.multiplyAdd(vectors, a[s], columns) }
            if rows > 2 { r2.multiplyAdd(vectors, a[2 &* s], columns) }
            if rows > 3 { r3.multiplyAdd(vectors, a[3 &* s], columns) }
            if rows > 4 { r4.multiplyAdd(vectors, a[4 &* s], columns) }
            if rows > 5 { r5.multiplyAdd(vectors, a[5 &* s], columns) }
            a += 1
            b += panelWidth
            remaining &-= 1
        }
    }
}

/// Cuts `count` into the fewest parts of at most `limit`, sizes differing by at most one, larger parts first.
struct BalancedParts {
    let parts: Int
    let smaller: Int
    let largerParts: Int

    @inline(__always) init(_ count: Int, limit: Int) {
        parts = (count &+ limit &- 1) / limit
        smaller = parts == 0 ? 0 : count / parts
        largerParts = count &- smaller &* parts
    }

    @inline(__always) func size(_ part: Int) -> Int { part < largerParts ? smaller &+ 1 : smaller }
}

/// Runs `body` with the row count as a constant.
@inline(__always) func withConstantRows(_ rows: Int, _ body: (Int) -> Void) {
    if tileRows > 3 {
        switch rows {
        case 6: body(6)
        case 5: body(5)
        case 4: body(4)
        case 3: body(3)
        case 2: body(2)
        default: body(1)
        }
    } else {
        switch rows {
        case 3: body(3)
        case 2: body(2)
        default: body(1)
        }
    }
}
