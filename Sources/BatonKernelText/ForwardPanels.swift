import BatonKernelABI

/// Calls `body` with the first unit strip and the number of panels of `gates` vectors that a forward step of a gated cell
/// works on at once, and memory for them.
@inline(__always) func forEachForwardPanel(
    _ arguments: RecurrentForwardArguments, gates: Int,
    _ body: (_ strip: Int, _ panels: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
) {
    fetchOperand(arguments.hidden, rows: arguments.rows)
    let together = arguments.rows == 1 ? RowPiece.panels(vectors: gates) : 1
    withAccumulatorMemory(rows: larger(arguments.rows, together)) { scratch in
        forEachPanel(
            strips: arguments.hiddenPanels.stripCount / gates, limit: 1, together: together,
            descends: arguments.descends
        ) { strip, _, panels in body(strip, panels, scratch) }
    }
}

/// Rows of a forward step whose chains are summed up, for the gates of one unit strip.
struct ForwardRows {
    let arguments: RecurrentForwardArguments
    let strip: Int
    let accumulators: AccumulatorRows
    /// Row of the first accumulators.
    let first: Int
    let count: Int

    /// Units of the strip.
    @inline(__always) var columns: Int { smaller(laneCount, arguments.hiddenSize &- strip &* laneCount) }
}
