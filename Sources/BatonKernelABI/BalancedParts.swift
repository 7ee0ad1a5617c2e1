/// Cuts a number into the fewest parts of at most `limit`, sizes differing by at most one, larger parts first: the strips of a
/// matrix into panels, which packing and kernels must cut alike, and rows into tiles.
@frozen public struct BalancedParts {
    /// Their number.
    public let parts: Int
    /// Size of the smaller parts; the larger ones have one more.
    public let smaller: Int
    /// Number of larger parts.
    public let largerParts: Int

    /// The parts of `count`.
    @_transparent public init(_ count: Int, limit: Int) {
        parts = (count &+ limit &- 1) / limit
        smaller = parts == 0 ? 0 : count / parts
        largerParts = count &- smaller &* parts
    }

    /// Size of a part.
    @_transparent public func size(_ part: Int) -> Int { part < largerParts ? smaller &+ 1 : smaller }
}
