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
