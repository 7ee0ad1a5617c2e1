import BatonKernelABI
import CLanes

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

/// Stores what the chains of a row of a gated cell begin with: the input product, or the biases of its panel.
@inline(__always) func storeFirstGates(
    _ arguments: RecurrentForwardArguments, count: Int, strip: Int, row: Int,
    _ accumulators: UnsafeMutablePointer<Float>
) {
    fetchNextGates(arguments, count: count, strip: strip, row: row)
    let gates = arguments.gates + row &* arguments.gateRowStride + strip &* laneCount
    let first =
        arguments.gatesHoldInput
        ? Quad(vectors: count, loading: gates, stride: arguments.gateStride)
        : Quad(vectors: count, loading: arguments.bias + strip &* count &* laneCount, stride: laneCount)
    storeQuad(first, count, accumulators, laneCount, laneCount)
}

/// Fetches the input product of a row for the panel that follows that of one strip: it was made for many steps at once,
/// and no first-level cache holds it any more.
@inline(__always) private func fetchNextGates(_ arguments: RecurrentForwardArguments, count: Int, strip: Int, row: Int)
{
    guard arguments.gatesHoldInput else { return }
    let next = UnsafeRawPointer(
        arguments.gates + row &* arguments.gateRowStride
            + (arguments.descends ? strip &- 1 : strip &+ 1) &* laneCount)
    for gate in 0..<count { baton_prefetch_to_l1(next + gate &* arguments.gateStride &* 4) }
}

/// Rows of a forward step whose chains are summed up, for the gates of one unit strip.
struct ForwardRows {
    let strip: Int
    let accumulators: AccumulatorRows
    /// Row of the first accumulators.
    let first: Int
    let count: Int

    /// Zeroes the sums of units beyond the layer's, as they are anyway unless an input is infinite: what is kept of these
    /// units meets weights of zero in the backward pass, and 0·∞ would reach the others.
    @inline(__always) func clearPadding(columns: Int, vectors: Int) {
        guard columns < laneCount else { return }
        for index in 0..<count {
            for vector in 0..<vectors {
                let sums = accumulators.row(index) + vector &* laneCount
                store(loadPartial(sums, columns), sums)
            }
        }
    }
}

extension RecurrentForwardArguments {
    /// Units of a strip.
    @inline(__always) func columns(ofStrip strip: Int) -> Int { smaller(laneCount, hiddenSize &- strip &* laneCount) }
}
