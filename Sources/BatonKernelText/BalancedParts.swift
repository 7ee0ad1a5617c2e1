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

/// Calls `body` with the first strip and the width of balanced panels of at most `limit` strips, from the first to the
/// last or the other way round.
@inline(__always) func forEachPanel(
    strips: Int, limit: Int, descends: Bool, _ body: (_ strip: Int, _ vectors: Int) -> Void
) {
    let panels = BalancedParts(strips, limit: limit)
    for number in 0..<panels.parts {
        let index = descends ? panels.parts &- 1 &- number : number
        body(index &* panels.smaller &+ smaller(index, panels.largerParts), panels.size(index))
    }
}
