import CLanes

/// What tiles fetch while they add: a part of the panel that is worked on next.
///
/// Short tiles fetch it into the first-level cache, which holds two pieces of a panel: the first tile of a piece would
/// else wait for the second level in every row, and where the weights exceed that, for the third. The pieces of tall tiles
/// only fit the second level.
struct UpcomingPanel {
    /// What is fetched next.
    var next: UnsafeRawPointer
    /// Lines to fetch with every `chainUnroll` elements, 1 to 3.
    private let lines: Int
    /// Tiles that still fetch.
    private var tiles: Int

    /// Nothing is fetched if the tiles are too few, which it would slow.
    ///
    /// - Parameters:
    ///   - panel: what is worked on next.
    ///   - width: floats in a row of it.
    ///   - tiles: tiles that work on the present one.
    @inline(__always) init(_ panel: UnsafeRawPointer, width: Int, tiles: Int) {
        next = panel
        let needed = (chainUnroll &* width &+ 15) / 16
        let sharing = smaller(tiles, hasShortTiles ? 8 : 4)
        lines = sharing >= needed ? 1 : sharing &* 2 >= needed ? 2 : 3
        self.tiles = tiles < 3 ? 0 : smaller(tiles, (needed &+ lines &- 1) / lines)
    }

    /// What the next tile fetches; it is one fewer then.
    @_transparent mutating func takeTile(depth: Int) -> UpcomingLines {
        let tile = UpcomingLines(isFetched: tiles > 0, next: next, apart: lines > 1 ? 64 : 0, step: lines &* 64)
        if tile.isFetched { next += tile.step &* (depth / chainUnroll) }
        tiles &-= 1
        return tile
    }

    /// What the tiles fetch that follow the first `count`, each of which adds `depth` elements.
    @inline(__always) func dropping(_ count: Int, depth: Int) -> UpcomingPanel {
        var rest = self
        rest.next += smaller(count, tiles > 0 ? tiles : 0) &* lines &* (depth / chainUnroll) &* 64
        rest.tiles &-= count
        return rest
    }
}

/// The lines that one tile fetches, without a question how many: three at a time, some of them twice.
struct UpcomingLines {
    let isFetched: Bool
    fileprivate(set) var next: UnsafeRawPointer
    /// Bytes from a line to the one fetched with it.
    fileprivate let apart: Int
    /// Bytes from one fetch to the next.
    fileprivate let step: Int

    @_transparent mutating func fetch() {
        fetchLine(next)
        fetchLine(next + apart)
        fetchLine(next + 2 &* apart)
        next += step
    }

    @_transparent private func fetchLine(_ line: UnsafeRawPointer) {
        if hasShortTiles { baton_prefetch_to_l1(line) } else { baton_prefetch_to_l2(line) }
    }
}
