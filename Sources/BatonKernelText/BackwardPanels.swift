import BatonKernelABI

/// Calls `body` with the first strip and the width of every panel of unit strips of a backward step, and memory for it.
@inline(__always) func forEachBackwardPanel(
    _ arguments: RecurrentBackwardArguments,
    _ body: (_ strip: Int, _ vectors: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
) {
    fetchOperand(arguments.following, rows: arguments.rows)
    withAccumulatorMemory(rows: arguments.rows) { scratch in
        forEachPanel(strips: arguments.hiddenPanels.stripCount, limit: 4, descends: arguments.descends) {
            body($0, $1, scratch)
        }
    }
}

/// The part of a backward step that all cells share: dh = dy + carry + dz₊₁·U for one panel of unit strips, handed
/// vector by vector (`unit` is its first unit) to the cell's gate derivatives.
@inline(__always) func runBackwardTiles(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int, _ scratch: UnsafeMutablePointer<Float>,
    _ derivatives: (_ dh: Lane, _ unit: Int, _ row: Int) -> Void
) {
    let lastColumns = arguments.hiddenSize &- (strip &+ vectors &- 1) &* laneCount
    runTiles(
        rows: arguments.rows, vectors: vectors, PanelChain(arguments.following, arguments.hiddenPanels, strip: strip),
        PanelChain(arguments.followingCandidate, arguments.hiddenPanels, strip: strip),
        secondLast: vectors &- 1, scratch: scratch,
        start: { row, accumulators in
            var first = Quad()
            if let gradient = arguments.outputGradient {
                let base = gradient + row &* arguments.outputGradientStride + strip &* laneCount
                first = loadQuad(vectors, base, laneCount, lastColumns)
            }
            if arguments.readsHiddenCarry {
                let base = arguments.hiddenCarry + row &* arguments.gateStride + strip &* laneCount
                let there = Quad(vectors: vectors, loading: base, stride: laneCount)
                first = addQuad(vectors, first, there)
            }
            storeQuad(first, vectors, accumulators, laneCount, laneCount)
        },
        finish: { accumulators, firstRow, count in
            for vector in 0..<vectors {
                for index in 0..<count {
                    derivatives(
                        load(accumulators.row(index) + vector &* laneCount), (strip &+ vector) &* laneCount,
                        firstRow &+ index)
                }
            }
        })
}
