import BatonKernelABI
import CLanes

/// Calls `body` with the first strip and the width of every panel of unit strips of a backward step.
@inline(__always) func forEachBackwardPanel(
    _ arguments: RecurrentBackwardArguments, _ body: (_ strip: Int, _ vectors: Int) -> Void
) {
    fetchOperand(arguments.following, rows: arguments.step.rows)
    forEachPanel(
        strips: arguments.hiddenPanels.stripCount, limit: PackedPanels.stripLimit, descends: arguments.step.descends
    ) { strip, vectors, _ in body(strip, vectors) }
}

/// The part of a backward step that all cells share: dh = dy + carry + dz₊₁·U for one panel of unit strips, handed to the
/// cell's gate derivatives.
///
/// What the forward pass kept of a row was written long ago; `fetch` names it before the chains, with `fetchKept`, so that
/// the derivatives do not wait for it.
@inline(__always) func runBackwardTiles(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int,
    fetch: (_ unit: Int, _ row: Int) -> Void, _ derivatives: (_ rows: BackwardRows) -> Void
) {
    let lastColumns = arguments.step.hiddenSize &- (strip &+ vectors &- 1) &* laneCount
    runTiles(
        rows: arguments.step.rows, vectors: vectors,
        PanelChain(arguments.following, arguments.hiddenPanels, strip: strip),
        PanelChain(arguments.followingCandidate, arguments.hiddenPanels, strip: strip),
        secondLast: vectors &- 1, scratch: arguments.step.scratch,
        start: { _, row, accumulators in
            var first = Quad()
            if let gradient = arguments.outputGradient {
                let base = gradient.row(row) + strip &* laneCount
                first = loadQuad(vectors, base, laneCount, lastColumns)
                // For the panel after this one.
                fetchKept(base + (arguments.step.descends ? 0 &- vectors : vectors) &* laneCount, vectors: vectors)
            }
            fetch(strip &* laneCount, row)
            if arguments.readsHiddenCarry {
                let base = arguments.hiddenCarry + row &* arguments.gates.gateStride + strip &* laneCount
                let there = Quad(vectors: vectors, loading: base, stride: laneCount)
                first = addQuad(vectors, first, there)
            }
            storeQuad(first, vectors, accumulators, laneCount, laneCount)
        },
        finish: { _, accumulators, firstRow, count in
            derivatives(
                BackwardRows(
                    strip: strip, vectors: vectors, accumulators: accumulators, first: firstRow, count: count))
        })
}

/// Rows of a backward step whose dh is summed up, for the derivatives of a panel of unit strips.
struct BackwardRows {
    let strip: Int
    let vectors: Int
    let accumulators: AccumulatorRows
    /// Row of the first accumulators.
    let first: Int
    let count: Int

    /// dh of some units; `index` counts the rows from the first.
    @inline(__always) func hiddenGradient(_ index: Int, vector: Int) -> Lane {
        load(accumulators.row(index) + vector &* laneCount)
    }
    /// First unit of a vector.
    @inline(__always) func unit(ofVector vector: Int) -> Int { (strip &+ vector) &* laneCount }
}

/// Fetches the four numbers of every unit that the gates of an LSTM or GRU kept of a row.
@inline(__always) func fetchKeptGates(_ arguments: RecurrentBackwardArguments, unit: Int, row: Int, vectors: Int) {
    let gates = arguments.gates.row(row) + unit
    for gate in 0..<4 { fetchKept(gates + gate &* arguments.gates.gateStride, vectors: vectors) }
}

/// Fetches some vectors of a row into the second-level cache; the first would not keep them for as long as chains take.
@inline(__always) func fetchKept(_ pointer: UnsafePointer<Float>, vectors: Int) {
    let base = UnsafeRawPointer(pointer)
    baton_prefetch_to_l2(base)
    if vectors &* laneCount > 16 { baton_prefetch_to_l2(base + 64) }
    if vectors &* laneCount > 32 { baton_prefetch_to_l2(base + 128) }
    if vectors &* laneCount > 48 { baton_prefetch_to_l2(base + 192) }
}
