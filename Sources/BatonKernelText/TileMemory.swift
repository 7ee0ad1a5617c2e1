import CLanes

// Tiles to and from memory. Written out row by row and transparent: of closures and plain functions the optimiser leaves
// calls where a function has many branches, and the tile then stands in memory.

extension Tile {
    /// Row r at `pointer + r·stride`, vectors side by side but for the last, which stands at `last` of the row.
    @_transparent init(rows: Int, vectors: Int, loading pointer: UnsafePointer<Float>, stride: Int, last: Int) {
        r0 = Quad(vectors: vectors, loading: pointer, last: last)
        if rows > 1 { r1 = Quad(vectors: vectors, loading: pointer + stride, last: last) }
        if rows > 2 { r2 = Quad(vectors: vectors, loading: pointer + 2 &* stride, last: last) }
        if rows > 3 { r3 = Quad(vectors: vectors, loading: pointer + 3 &* stride, last: last) }
        if rows > 4 { r4 = Quad(vectors: vectors, loading: pointer + 4 &* stride, last: last) }
        if rows > 5 { r5 = Quad(vectors: vectors, loading: pointer + 5 &* stride, last: last) }
    }

    /// The opposite.
    @_transparent func keep(
        rows: Int, vectors: Int, to pointer: UnsafeMutablePointer<Float>, stride: Int, last: Int
    ) {
        r0.keep(vectors, pointer, last)
        if rows > 1 { r1.keep(vectors, pointer + stride, last) }
        if rows > 2 { r2.keep(vectors, pointer + 2 &* stride, last) }
        if rows > 3 { r3.keep(vectors, pointer + 3 &* stride, last) }
        if rows > 4 { r4.keep(vectors, pointer + 4 &* stride, last) }
        if rows > 5 { r5.keep(vectors, pointer + 5 &* stride, last) }
    }

    /// All vectors of row r hold `pointer[r·stride]`.
    @_transparent init(rows: Int, vectors: Int, splatting pointer: UnsafePointer<Float>, stride: Int) {
        r0 = Quad(vectors: vectors, splatting: pointer[0])
        if rows > 1 { r1 = Quad(vectors: vectors, splatting: pointer[stride]) }
        if rows > 2 { r2 = Quad(vectors: vectors, splatting: pointer[2 &* stride]) }
        if rows > 3 { r3 = Quad(vectors: vectors, splatting: pointer[3 &* stride]) }
        if rows > 4 { r4 = Quad(vectors: vectors, splatting: pointer[4 &* stride]) }
        if rows > 5 { r5 = Quad(vectors: vectors, splatting: pointer[5 &* stride]) }
    }

    /// Every vector of row r, of integers, becomes `scales[r·stride]` · itself + the accumulator in memory.
    @_transparent mutating func makeSums(
        rows: Int, vectors: Int, scales: UnsafePointer<Float>, stride: Int, _ pointer: UnsafePointer<Float>,
        stride pointerStride: Int, last: Int
    ) {
        r0.makeSums(vectors, splat(scales[0]), pointer, last)
        if rows > 1 { r1.makeSums(vectors, splat(scales[stride]), pointer + pointerStride, last) }
        if rows > 2 { r2.makeSums(vectors, splat(scales[2 &* stride]), pointer + 2 &* pointerStride, last) }
        if rows > 3 { r3.makeSums(vectors, splat(scales[3 &* stride]), pointer + 3 &* pointerStride, last) }
        if rows > 4 { r4.makeSums(vectors, splat(scales[4 &* stride]), pointer + 4 &* pointerStride, last) }
        if rows > 5 { r5.makeSums(vectors, splat(scales[5 &* stride]), pointer + 5 &* pointerStride, last) }
    }

    /// Row r at `pointer + r·stride`, vectors side by side, `columns` of the last.
    @_transparent init(rows: Int, vectors: Int, loading pointer: UnsafePointer<Float>, stride: Int, columns: Int) {
        r0 = loadQuad(vectors, pointer, laneCount, columns)
        if rows > 1 { r1 = loadQuad(vectors, pointer + stride, laneCount, columns) }
        if rows > 2 { r2 = loadQuad(vectors, pointer + 2 &* stride, laneCount, columns) }
        if rows > 3 { r3 = loadQuad(vectors, pointer + 3 &* stride, laneCount, columns) }
        if rows > 4 { r4 = loadQuad(vectors, pointer + 4 &* stride, laneCount, columns) }
        if rows > 5 { r5 = loadQuad(vectors, pointer + 5 &* stride, laneCount, columns) }
    }

    /// The opposite.
    @_transparent func store(
        rows: Int, vectors: Int, to pointer: UnsafeMutablePointer<Float>, stride: Int, columns: Int
    ) {
        storeQuad(r0, vectors, pointer, laneCount, columns)
        if rows > 1 { storeQuad(r1, vectors, pointer + stride, laneCount, columns) }
        if rows > 2 { storeQuad(r2, vectors, pointer + 2 &* stride, laneCount, columns) }
        if rows > 3 { storeQuad(r3, vectors, pointer + 3 &* stride, laneCount, columns) }
        if rows > 4 { storeQuad(r4, vectors, pointer + 4 &* stride, laneCount, columns) }
        if rows > 5 { storeQuad(r5, vectors, pointer + 5 &* stride, laneCount, columns) }
    }

    /// Every accumulator becomes `left`'s + itself.
    @_transparent mutating func add(to left: Tile, rows: Int, vectors: Int) {
        r0 = addQuad(vectors, left.r0, r0)
        if rows > 1 { r1 = addQuad(vectors, left.r1, r1) }
        if rows > 2 { r2 = addQuad(vectors, left.r2, r2) }
        if rows > 3 { r3 = addQuad(vectors, left.r3, r3) }
        if rows > 4 { r4 = addQuad(vectors, left.r4, r4) }
        if rows > 5 { r5 = addQuad(vectors, left.r5, r5) }
    }
}

extension Quad {
    @_transparent fileprivate init(vectors: Int, loading pointer: UnsafePointer<Float>, last: Int) {
        v0 = load(vectors > 1 ? pointer : pointer + last)
        if vectors > 1 { v1 = load(vectors > 2 ? pointer + laneCount : pointer + last) }
        if vectors > 2 { v2 = load(vectors > 3 ? pointer + 2 &* laneCount : pointer + last) }
        if vectors > 3 { v3 = load(pointer + last) }
    }

    @_transparent fileprivate init(vectors: Int, splatting value: Float) {
        v0 = splat(value)
        if vectors > 1 { v1 = v0 }
        if vectors > 2 { v2 = v0 }
        if vectors > 3 { v3 = v0 }
    }

    @_transparent fileprivate mutating func makeSums(
        _ vectors: Int, _ scale: Lane, _ pointer: UnsafePointer<Float>, _ last: Int
    ) {
        let sums = Quad(vectors: vectors, loading: pointer, last: last)
        v0 = mulAdd(scale, fromIntegers(v0), sums.v0)
        if vectors > 1 { v1 = mulAdd(scale, fromIntegers(v1), sums.v1) }
        if vectors > 2 { v2 = mulAdd(scale, fromIntegers(v2), sums.v2) }
        if vectors > 3 { v3 = mulAdd(scale, fromIntegers(v3), sums.v3) }
    }

    @_transparent fileprivate func keep(_ vectors: Int, _ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
        store(v0, vectors > 1 ? pointer : pointer + last)
        if vectors > 1 { store(v1, vectors > 2 ? pointer + laneCount : pointer + last) }
        if vectors > 2 { store(v2, vectors > 3 ? pointer + 2 &* laneCount : pointer + last) }
        if vectors > 3 { store(v3, pointer + last) }
    }
}

/// Fetches `rows` rows of `bytes` bytes, at most 256.
@_transparent func fetchLines(_ pointer: UnsafeRawPointer, rows: Int, stride: Int, bytes: Int) {
    for row in 0..<rows {
        let line = pointer + row &* stride
        baton_prefetch_to_l1(line)
        if bytes > 64 { baton_prefetch_to_l1(line + 64) }
        if bytes > 128 { baton_prefetch_to_l1(line + 128) }
        if bytes > 192 { baton_prefetch_to_l1(line + 192) }
    }
}
