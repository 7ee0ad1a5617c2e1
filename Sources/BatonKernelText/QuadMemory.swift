/// Vectors `stride` floats apart, the last of which holds `lastColumns` columns.
@_transparent func loadQuad(
    _ vectors: Int, _ pointer: UnsafePointer<Float>, _ stride: Int, _ lastColumns: Int
) -> Quad {
    if lastColumns >= laneCount { return Quad(vectors: vectors, loading: pointer, stride: stride) }
    var quad = Quad()
    quad.v0 = vectors > 1 ? load(pointer) : loadPartial(pointer, lastColumns)
    if vectors > 1 { quad.v1 = vectors > 2 ? load(pointer + stride) : loadPartial(pointer + stride, lastColumns) }
    if vectors > 2 {
        quad.v2 = vectors > 3 ? load(pointer + 2 &* stride) : loadPartial(pointer + 2 &* stride, lastColumns)
    }
    if vectors > 3 { quad.v3 = loadPartial(pointer + 3 &* stride, lastColumns) }
    return quad
}

/// The opposite of `loadQuad`.
@_transparent func storeQuad(
    _ quad: Quad, _ vectors: Int, _ pointer: UnsafeMutablePointer<Float>, _ stride: Int, _ lastColumns: Int
) {
    let last = pointer + (vectors &- 1) &* stride
    if vectors > 1 { store(quad.v0, pointer) }
    if vectors > 2 { store(quad.v1, pointer + stride) }
    if vectors > 3 { store(quad.v2, pointer + 2 &* stride) }
    let value = vectors > 3 ? quad.v3 : vectors > 2 ? quad.v2 : vectors > 1 ? quad.v1 : quad.v0
    if lastColumns >= laneCount { store(value, last) } else { storePartial(value, last, lastColumns) }
}

/// Adds vector by vector.
@_transparent func addQuad(_ vectors: Int, _ left: Quad, _ right: Quad) -> Quad {
    var sum = Quad()
    sum.v0 = left.v0 + right.v0
    if vectors > 1 { sum.v1 = left.v1 + right.v1 }
    if vectors > 2 { sum.v2 = left.v2 + right.v2 }
    if vectors > 3 { sum.v3 = left.v3 + right.v3 }
    return sum
}
