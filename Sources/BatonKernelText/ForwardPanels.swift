import BatonKernelABI
import CLanes

/// Calls `body` with the first unit strip and the number of panels of `gates` vectors that a forward step of a gated cell
/// works on at once.
@inline(__always) func forEachForwardPanel(
    _ arguments: RecurrentForwardArguments, gates: Int, _ body: (_ strip: Int, _ panels: Int) -> Void
) {
    fetchOperand(arguments.hidden, rows: arguments.step.rows)
    let together = arguments.step.rows == 1 ? RowPiece.panels(vectors: gates) : 1
    forEachPanel(
        strips: arguments.hiddenPanels.stripCount / gates, limit: 1, together: together,
        descends: arguments.step.descends
    ) { strip, _, panels in body(strip, panels) }
}

/// Stores what the chains of a row of a gated cell begin with: the input product, or the biases of its panel.
@inline(__always) func storeFirstGates(
    _ arguments: RecurrentForwardArguments, count: Int, strip: Int, row: Int,
    _ accumulators: UnsafeMutablePointer<Float>
) {
    guard let product = arguments.inputProduct?.row(row) else {
        let bias = arguments.constants.bias + strip &* count &* laneCount
        storeQuad(
            Quad(vectors: count, loading: bias, stride: laneCount), count, accumulators, laneCount, laneCount)
        return
    }
    // For the panel that follows: the product was made for many steps at once, and no first-level cache holds it any more.
    let next = UnsafeRawPointer(product + (arguments.step.descends ? strip &- 1 : strip &+ 1) &* laneCount)
    for gate in 0..<count { baton_prefetch_to_l1(next + gate &* arguments.gates.gateStride &* 4) }
    storeQuad(
        Quad(vectors: count, loading: product + strip &* laneCount, stride: arguments.gates.gateStride), count,
        accumulators,
        laneCount, laneCount)
}

/// Rows of a forward step whose chains are summed up, for the gates of one unit strip.
struct ForwardRows {
    let strip: Int
    let accumulators: AccumulatorRows
    /// Row of the first accumulators.
    let first: Int
    let count: Int
}

extension RecurrentForwardArguments {
    /// Units of a strip.
    @inline(__always) func columns(ofStrip strip: Int) -> Int {
        smaller(laneCount, step.hiddenSize &- strip &* laneCount)
    }
}
