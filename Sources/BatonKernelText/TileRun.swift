import BatonKernelABI

/// Longest piece of a chain worked on at once: 512 rows of four vectors are 128 KiB of panel, which the
/// second-level cache keeps for all row tiles.
@inline(__always) private var cutDepth: Int { 512 }
/// Rows whose accumulators wait in memory between two pieces of a chain.
@inline(__always) private var groupRows: Int { 96 }

/// A chain and the panel it meets.
struct PanelChain {
    let operand: ChainOperand
    let panel: UnsafePointer<Float>

    @inline(__always) init(_ operand: ChainOperand, panel: UnsafePointer<Float>) {
        self.operand = operand
        self.panel = panel
    }

    @inline(__always) var cuts: Int { (operand.depth &+ cutDepth &- 1) / cutDepth }

    /// The piece number `cut` of the chain.
    @inline(__always) func piece(_ cut: Int) -> ChainOperand {
        let start = cut &* cutDepth
        var piece = operand
        piece.base += start
        piece.depth = smaller(cutDepth, operand.depth &- start)
        piece.panelDepthStart &+= start
        return piece
    }
}

/// Where the accumulators of a row wait between the pieces of its chains: vectors side by side.
struct AccumulatorRows {
    let base: UnsafeMutablePointer<Float>
    /// Floats from row to row.
    let stride: Int

    @inline(__always) func row(_ row: Int) -> UnsafeMutablePointer<Float> { base + row &* stride }
}

/// Runs one panel of `vectors` (a constant) strips over all rows: `start` writes the first values of a row's
/// accumulators, the two chains extend them, `finish` uses those of `count` rows from `row` on.
///
/// Long chains are cut into pieces. Accumulators pass through memory between pieces and at both ends, which does
/// not change their bits and keeps `start` and `finish` out of the unrolled tiles.
///
/// - Parameter secondLast: the accumulator that takes the last column of the second chain (a constant): `vectors` − 1,
///   or `vectors` where both chains share all columns but the last.
@inline(__always) func runTiles(
    rows total: Int, vectors: Int, _ first: PanelChain, _ second: PanelChain, secondLast: Int,
    start: (_ row: Int, _ accumulators: UnsafeMutablePointer<Float>) -> Void,
    finish: (_ accumulators: AccumulatorRows, _ row: Int, _ count: Int) -> Void
) {
    let width = vectors &* laneCount
    let stride = (secondLast &+ 1) &* laneCount
    let firstCuts = first.cuts
    let cuts = firstCuts &+ second.cuts
    withUnsafeTemporaryAllocation(byteCount: groupRows &* 4 &* laneCount &* 4, alignment: 64) { memory in
        guard let raw = memory.baseAddress else { return }
        let scratch = raw.assumingMemoryBound(to: Float.self)
        var groupStart = 0
        while groupStart < total {
            let group = smaller(groupRows, total &- groupStart)
            let tiles = BalancedParts(group, limit: tileRows)
            for row in 0..<group { start(groupStart &+ row, scratch + row &* stride) }
            for cut in 0..<cuts {
                let fromFirst = cut < firstCuts
                let operand = fromFirst ? first.piece(cut) : second.piece(cut &- firstCuts)
                let panel = fromFirst ? first.panel : second.panel
                let last = (fromFirst ? vectors &- 1 : secondLast) &* laneCount
                var row = 0
                for tileIndex in 0..<tiles.parts {
                    let height = tiles.size(tileIndex)
                    let accumulators = scratch + row &* stride
                    withConstantRows(height) { rows in
                        var tile = Tile()
                        tile.forEachRow(rows) { quad, index in
                            quad = loadAccumulators(vectors, accumulators + index &* stride, last)
                        }
                        tile.extend(
                            rows: rows, vectors: vectors, operand, firstRow: groupStart &+ row, panel: panel,
                            panelWidth: width, prefetches: tiles.parts == 1)
                        tile.forEachRow(rows) { quad, index in
                            storeAccumulators(quad, vectors, accumulators + index &* stride, last)
                        }
                    }
                    row &+= height
                }
            }
            finish(AccumulatorRows(base: scratch, stride: stride), groupStart, group)
            groupStart &+= group
        }
    }
}

/// The accumulators of a row, the last of them at `last`.
@inline(__always) private func loadAccumulators(
    _ vectors: Int, _ pointer: UnsafePointer<Float>, _ last: Int
) -> Quad {
    var quad = Quad()
    let final = load(pointer + last)
    if vectors > 1 { quad.v0 = load(pointer) } else { quad.v0 = final }
    if vectors == 2 { quad.v1 = final }
    if vectors > 2 { quad.v1 = load(pointer + laneCount) }
    if vectors == 3 { quad.v2 = final }
    if vectors > 3 {
        quad.v2 = load(pointer + 2 &* laneCount)
        quad.v3 = final
    }
    return quad
}

/// The opposite of `loadAccumulators`.
@inline(__always) private func storeAccumulators(
    _ quad: Quad, _ vectors: Int, _ pointer: UnsafeMutablePointer<Float>, _ last: Int
) {
    if vectors > 1 { store(quad.v0, pointer) }
    if vectors > 2 { store(quad.v1, pointer + laneCount) }
    if vectors > 3 { store(quad.v2, pointer + 2 &* laneCount) }
    store(vectors > 3 ? quad.v3 : vectors > 2 ? quad.v2 : vectors > 1 ? quad.v1 : quad.v0, pointer + last)
}
