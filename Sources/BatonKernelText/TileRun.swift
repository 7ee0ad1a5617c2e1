import BatonKernelABI
import CLanes

/// Longest piece of a chain worked on at once. With AVX-512, 512 rows of four vectors are 128 KiB of panel, which the
/// second-level cache keeps for all row tiles. The short tiles of smaller vectors use an element for three rows only,
/// faster than that cache delivers: there several tiles share a piece of 16 KiB, which the first-level cache keeps.
///
/// Of integers a piece is always as long as their sum is exact.
@inline(__always) func cutDepth(tiles: Int, _ format: PanelFormat = .float32) -> Int {
    if format.isInteger { return format.pieceLength }
    return tiles == 1 || !hasShortTiles ? 512 : 4096 / (4 &* laneCount)
}
/// Length of the pieces that `depth` elements are worked on in: much the same for all, since a piece fetches as much of the next
/// one as it has itself. Of integers every piece but the last is as long as can be.
@inline(__always) private func pieceDepth(_ depth: Int, limit: Int, _ format: PanelFormat) -> Int {
    if depth <= limit || format.isInteger { return limit }
    let pieces = (depth &+ limit &- 1) / limit
    return ((depth &+ pieces &- 1) / pieces &+ 3) & ~3
}

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

    /// The row of the panel, `width` floats wide, that the chain begins with.
    @inline(__always) func start(width: Int) -> UnsafeRawPointer {
        panel + format.bytes(rows: operand.panelDepthStart, columns: width)
    }

    /// The end of the panel, where the next one begins.
    @inline(__always) func end(width: Int) -> UnsafeRawPointer {
        panel + format.bytes(rows: panelDepth, columns: width)
    }

    /// All of the chain of one row against several panels.
    @inline(__always) func extendRow(
        panels: Int, vectors: Int, _ accumulators: UnsafeMutablePointer<Float>, stride: Int, last: Int
    ) {
        let width = vectors &* laneCount
        var piece = RowPiece(
            left: operand.base, depth: operand.depth, panel: start(width: width),
            panelBytes: format.bytes(rows: panelDepth, columns: width), format: format, accumulators: accumulators,
            accumulatorStride: stride, last: last)
        var (rest, block) = (operand.depth, operand.blockDepth)
        while rest > 0 {
            piece.depth = format.isInteger ? smaller(format.pieceLength, rest) : block
            rest &-= piece.depth
            block &-= piece.depth
            piece.extend(panels: panels, vectors: vectors)
            piece.left += format.headWords &+ piece.depth
            if block == 0 {
                piece.left += operand.blockGap
                block = operand.blockDepth
            }
            piece.panel += format.bytes(rows: piece.depth, columns: width)
        }
    }
}

/// Where the accumulators of a row wait between the pieces of its chains: vectors side by side.
struct AccumulatorRows {
    let base: UnsafeMutablePointer<Float>
    /// Floats from row to row.
    let stride: Int

    @inline(__always) func row(_ row: Int) -> UnsafeMutablePointer<Float> { base + row &* stride }
}

/// Fetches the rows of a chain's operand into the first-level cache, all at once, if they are few: another core may have
/// written them just now, and a chain that meets them line by line waits for every one.
@inline(__always) func fetchOperand(_ operand: ChainOperand, rows: Int) {
    guard rows <= ChainOperand.fewRows else { return }
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
///   - scratch: for the accumulators, as `KernelTable.scratchCount` says.
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
    let halves = hasShortTiles && vectors == 4 && total == 4
    var groupStart = 0
    while groupStart < total {
        let group = smaller(KernelTable.groupRows, total &- groupStart)
        let tiles = halves ? BalancedParts(4, limit: 4) : BalancedParts(group, limit: tileRows(vectors: vectors))
        for row in 0..<group { start(0, groupStart &+ row, scratch + row &* stride) }
        // What is worked on after this group: the panel from the beginning, or the next one.
        let leading = first.operand.depth > 0 ? first : second
        let afterwards = groupStart &+ group < total ? leading.start(width: width) : leading.end(width: width)
        let cutDepth = cutDepth(tiles: tiles.parts, first.format)
        let upcoming = UpcomingPanel(afterwards, width: width, tiles: tiles.parts)
        for number in 0..<2 {
            let chain = number == 0 ? first : second
            let afterChain = number == 0 && second.operand.depth > 0 ? second.start(width: width) : afterwards
            var piece = TilePiece(
                left: chain.operand.base + groupStart &* chain.operand.rowStride, leftStride: chain.operand.rowStride,
                depth: 0, panel: chain.start(width: width), format: chain.format, accumulators: scratch,
                accumulatorStride: stride, last: (number == 0 ? vectors &- 1 : secondLast) &* laneCount,
                fetchesAhead: fetchesLonePanels && tiles.parts == 1, upcoming: upcoming)
            var (rest, block) = (chain.operand.depth, chain.operand.blockDepth)
            let pieceDepth = pieceDepth(block, limit: cutDepth, chain.format)
            while rest > 0 {
                piece.depth = smaller(pieceDepth, block)
                rest &-= piece.depth
                block &-= piece.depth
                let next = piece.panel + chain.format.bytes(rows: piece.depth, columns: width)
                piece.upcoming.next = rest > 0 ? next : afterChain
                if halves { piece.extendHalves() } else { piece.extend(tiles, vectors: vectors) }
                piece.left += chain.format.headWords &+ piece.depth
                if block == 0 {
                    piece.left += chain.operand.blockGap
                    block = chain.operand.blockDepth
                }
                piece.panel = next
            }
        }
        finish(0, AccumulatorRows(base: scratch, stride: stride), groupStart, group)
        groupStart &+= group
    }
}
