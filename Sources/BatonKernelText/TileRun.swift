import BatonKernelABI
import CLanes

/// Longest piece of a chain worked on at once. With AVX-512, 512 rows of four vectors are 128 KiB of panel, which the
/// second-level cache keeps for all row tiles. The short tiles of smaller vectors use an element for three rows only,
/// faster than that cache delivers: there several tiles share a piece of 16 KiB, which the first-level cache keeps.
@inline(__always) func cutDepth(tiles: Int) -> Int {
    tiles == 1 || !hasShortTiles ? 512 : 4096 / (4 &* laneCount)
}
/// Rows whose accumulators wait in memory between two pieces of a chain.
@inline(__always) private var groupRows: Int { 96 }

/// A chain and the panel it meets.
struct PanelChain {
    let operand: ChainOperand
    let panel: UnsafeRawPointer
    let format: PanelFormat
    /// Rows of the panel.
    let panelDepth: Int

    /// The chain against the panel that begins with strip `strip`.
    @inline(__always) init(_ operand: ChainOperand, _ panels: PackedPanels, strip: Int) {
        self.operand = operand
        panel = panels.base + strip &* panels.format.bytes(rows: panels.depth, columns: laneCount)
        format = panels.format
        panelDepth = panels.depth
    }

    /// A chain of no terms.
    @inline(__always) init(empty panels: PackedPanels) {
        operand = ChainOperand(base: panels.base.assumingMemoryBound(to: Float.self), rowStride: 0, depth: 0)
        panel = panels.base
        format = panels.format
        panelDepth = panels.depth
    }

    /// Where the panel of the piece number `cut` begins; for the first piece beyond the end, the next panel.
    @inline(__always) func pieceStart(_ cut: Int, cutDepth: Int, width: Int) -> UnsafeRawPointer {
        let depth = cut &* cutDepth
        return panel
            + format.bytes(
                rows: depth < operand.depth ? operand.panelDepthStart &+ depth : panelDepth, columns: width)
    }

    /// All of the chain of one row against several panels.
    @inline(__always) func extendRow(
        panels: Int, vectors: Int, _ accumulators: UnsafeMutablePointer<Float>, stride: Int, last: Int
    ) {
        let width = vectors &* laneCount
        RowPiece(
            left: operand.base, depth: operand.depth,
            panel: panel + format.bytes(rows: operand.panelDepthStart, columns: width),
            panelBytes: format.bytes(rows: panelDepth, columns: width), format: format, accumulators: accumulators,
            accumulatorStride: stride, last: last
        ).extend(panels: panels, vectors: vectors)
    }

    @inline(__always) func cuts(_ cutDepth: Int) -> Int { (operand.depth &+ cutDepth &- 1) / cutDepth }

    /// The piece number `cut` of the chain.
    @inline(__always) func piece(_ cut: Int, cutDepth: Int) -> ChainOperand {
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

/// Memory for the accumulators of one kernel call, for `runTiles`: on the stack where one row tile or few are worked on,
/// whose panels would else each wait for the allocator longer than for some lines of weights.
@inline(__always) func withAccumulatorMemory(rows: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    // More than these bytes, or a greater alignment than 16, and Swift takes them from the heap.
    let (stackBytes, alignment) = (1024, 64)
    if rows &* 4 &* laneCount &* 4 <= stackBytes &- alignment {
        withUnsafeTemporaryAllocation(byteCount: stackBytes, alignment: 16) { memory in
            guard let raw = memory.baseAddress else { return }
            body(raw.alignedUp(toMultipleOf: alignment).assumingMemoryBound(to: Float.self))
        }
    } else {
        withUnsafeTemporaryAllocation(byteCount: groupRows &* 4 &* laneCount &* 4, alignment: alignment) { memory in
            guard let raw = memory.baseAddress else { return }
            body(raw.assumingMemoryBound(to: Float.self))
        }
    }
}

/// Fetches the rows of a chain's operand into the first-level cache, all at once, if they are few: another core may have
/// written them just now, and a chain that meets them line by line waits for every one.
@inline(__always) func fetchOperand(_ operand: ChainOperand, rows: Int) {
    guard rows <= fewRows else { return }
    let depth = smaller(operand.depth, fetchedDepth)
    for row in 0..<rows {
        let base = UnsafeRawPointer(operand.base + row &* operand.rowStride)
        var offset = 0
        while offset < depth &* 4 {
            baton_prefetch_to_l1(base + offset)
            offset &+= 64
        }
    }
}

/// Rows up to which a step waits for memory rather than for products.
@inline(__always) var fewRows: Int { 4 }
/// Elements of an operand's row that are fetched before its chain begins: 8 KiB.
@inline(__always) private var fetchedDepth: Int { 2048 }

/// Runs one panel of `vectors` strips over all rows, or several panels over one row: `start` writes the first values of a
/// row's accumulators, the two chains extend them, in pieces if they are long, and `finish` uses those of `count` rows
/// from `row` on.
///
/// - Parameters:
///   - panels: panels that follow one another, more than one only where `total` is 1.
///   - secondLast: the accumulator that takes the last column of the second chain: `vectors` − 1, or `vectors` where the
///     chains share all columns but the last.
///   - scratch: from `withAccumulatorMemory` for as many rows.
@inline(__always) func runTiles(
    rows total: Int, vectors: Int, panels: Int = 1, _ first: PanelChain, _ second: PanelChain, secondLast: Int,
    scratch: UnsafeMutablePointer<Float>,
    start: (_ panel: Int, _ row: Int, _ accumulators: UnsafeMutablePointer<Float>) -> Void,
    finish: (_ panel: Int, _ accumulators: AccumulatorRows, _ row: Int, _ count: Int) -> Void
) {
    let width = vectors &* laneCount
    let stride = (secondLast &+ 1) &* laneCount
    if panels > 1 {
        for panel in 0..<panels { start(panel, 0, scratch + panel &* stride) }
        first.extendRow(panels: panels, vectors: vectors, scratch, stride: stride, last: (vectors &- 1) &* laneCount)
        second.extendRow(panels: panels, vectors: vectors, scratch, stride: stride, last: secondLast &* laneCount)
        for panel in 0..<panels {
            finish(panel, AccumulatorRows(base: scratch + panel &* stride, stride: stride), 0, 1)
        }
        return
    }
    var groupStart = 0
    while groupStart < total {
        let group = smaller(groupRows, total &- groupStart)
        let halves = hasShortTiles && vectors == 4 && total == 4
        let tiles = BalancedParts(group, limit: halves ? 4 : tileRows(vectors: vectors))
        let cutDepth = cutDepth(tiles: tiles.parts)
        let firstCuts = first.cuts(cutDepth)
        let cuts = firstCuts &+ second.cuts(cutDepth)
        for row in 0..<group { start(0, groupStart &+ row, scratch + row &* stride) }
        for cut in 0..<cuts {
            let fromFirst = cut < firstCuts
            let operand =
                fromFirst ? first.piece(cut, cutDepth: cutDepth) : second.piece(cut &- firstCuts, cutDepth: cutDepth)
            let panel = fromFirst ? first.panel : second.panel
            let format = fromFirst ? first.format : second.format
            let last = (fromFirst ? vectors &- 1 : secondLast) &* laneCount
            // What is worked on next: after the last piece the panel from the beginning, or the next one, which follows this
            // one in memory.
            let next = cut &+ 1 == cuts && groupStart &+ group < total ? 0 : cut &+ 1
            let upcoming =
                next < firstCuts || (next >= cuts && firstCuts > 0)
                ? first.pieceStart(next, cutDepth: cutDepth, width: width)
                : second.pieceStart(next &- firstCuts, cutDepth: cutDepth, width: width)
            let piece = TilePiece(
                left: operand.base + groupStart &* operand.rowStride, leftStride: operand.rowStride,
                depth: operand.depth, panel: panel + format.bytes(rows: operand.panelDepthStart, columns: width),
                format: format, accumulators: scratch, accumulatorStride: stride, last: last,
                fetchesAhead: tiles.parts == 1,
                upcoming: UpcomingPanel(upcoming, width: width, tiles: tiles.parts)
            )
            if halves { piece.extendHalves() } else { piece.extend(tiles, vectors: vectors) }
        }
        finish(0, AccumulatorRows(base: scratch, stride: stride), groupStart, group)
        groupStart &+= group
    }
}
