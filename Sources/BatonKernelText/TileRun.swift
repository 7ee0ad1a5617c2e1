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

    /// Where the panel of the piece number `cut` begins; for the first piece beyond the end, the next panel.
    @inline(__always) func pieceStart(_ cut: Int, width: Int) -> UnsafePointer<Float> {
        let depth = cut &* cutDepth
        return panel + (operand.panelDepthStart &+ (depth < operand.depth ? depth : operand.depth)) &* width
    }

    @inline(__always) var cuts: Int { (operand.depth &+ cutDepth &- 1) / cutDepth }

    /// The piece number `cut` of the chain.
    @inline(__always) func piece(_ cut: Int) -> ChainOperand {
        let start = cut &* cutDepth
        var piece = operand
        piece.base += start &* operand.depthStride
        piece.depth = smaller(cutDepth, operand.depth &- start)
        piece.panelDepthStart &+= start
        return piece
    }
}

/// Runs one panel of `vectors` (a constant) strips over all rows: `start` gives the first value of a row's
/// accumulators, the two chains extend them, `finish` uses them.
///
/// Long chains are cut into pieces. Accumulators pass through memory between pieces and at both ends, which does
/// not change their bits and keeps `start` and `finish` out of the unrolled tiles.
@inline(__always) func runTiles(
    rows total: Int, vectors: Int, _ first: PanelChain, _ second: PanelChain,
    start: (_ row: Int) -> Quad, finish: (_ quad: Quad, _ row: Int) -> Void
) {
    let width = vectors &* laneCount
    let firstCuts = first.cuts
    let cuts = firstCuts &+ second.cuts
    withUnsafeTemporaryAllocation(byteCount: groupRows &* 4 &* laneCount &* 4, alignment: 64) { memory in
        guard let raw = memory.baseAddress else { return }
        let scratch = raw.assumingMemoryBound(to: Float.self)
        var groupStart = 0
        while groupStart < total {
            let group = smaller(groupRows, total &- groupStart)
            let tiles = BalancedParts(group, limit: tileRows)
            var cut = 0
            repeat {
                let fromFirst = cut < firstCuts
                let operand = fromFirst ? first.piece(cut) : second.piece(cut &- firstCuts)
                let panel = fromFirst ? first.panel : second.panel
                // What is worked on next, fetched meanwhile by the first four tiles, a quarter each. After the last
                // piece that is the next panel, which follows this one in memory.
                let next = cut &+ 1
                let upcoming =
                    next < firstCuts || (next >= cuts && firstCuts > 0)
                    ? first.pieceStart(next, width: width) : second.pieceStart(next &- firstCuts, width: width)
                var row = 0
                for tileIndex in 0..<tiles.parts {
                    let height = tiles.size(tileIndex)
                    let accumulators = scratch + row &* width
                    if cut == 0 {
                        for index in 0..<height {
                            storeQuad(
                                start(groupStart &+ row &+ index), vectors, accumulators + index &* width, laneCount,
                                laneCount)
                        }
                    }
                    if cuts > 0 {
                        withConstantRows(height) { rows in
                            var tile = Tile()
                            tile.forEachRow(rows) { quad, index in
                                quad = Quad(
                                    vectors: vectors, loading: accumulators + index &* width, stride: laneCount)
                            }
                            tile.extend(
                                rows: rows, vectors: vectors, operand, firstRow: groupStart &+ row, panel: panel,
                                panelWidth: width, upcoming: upcoming + smaller(tileIndex, 3) &* cutDepth &* 16)
                            tile.forEachRow(rows) { quad, index in
                                storeQuad(quad, vectors, accumulators + index &* width, laneCount, laneCount)
                            }
                        }
                    }
                    if cut &+ 1 >= cuts {
                        for index in 0..<height {
                            finish(
                                Quad(vectors: vectors, loading: accumulators + index &* width, stride: laneCount),
                                groupStart &+ row &+ index)
                        }
                    }
                    row &+= height
                }
                cut &+= 1
            } while cut < cuts
            groupStart &+= group
        }
    }
}
