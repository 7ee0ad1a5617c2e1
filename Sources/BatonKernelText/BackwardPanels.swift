import BatonKernelABI

/// Calls `body` with the first unit strip and the width of every panel of a backward step.
@inline(__always) func backwardPanels(
    _ arguments: RecurrentBackwardArguments, _ body: (_ strip: Int, _ vectors: Int) -> Void
) {
    let panels = BalancedParts(arguments.hiddenPanels.stripCount, limit: 4)
    var strip = 0
    for index in 0..<panels.parts {
        body(strip, panels.size(index))
        strip &+= panels.size(index)
    }
}

/// The part of a backward step that all cells share: dh = dy + carry + dz₊₁·U for one panel of unit strips, handed
/// vector by vector (`unit` is its first unit) to the cell's gate derivatives.
@inline(__always) func runBackwardTiles(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int,
    _ derivatives: (_ dh: Lane, _ unit: Int, _ row: Int) -> Void
) {
    let panel = arguments.hiddenPanels.base + strip &* arguments.hiddenPanels.depth &* laneCount
    let lastColumns = arguments.hiddenSize &- (strip &+ vectors &- 1) &* laneCount
    runTiles(
        rows: arguments.rows, vectors: vectors, PanelChain(arguments.following, panel: panel),
        PanelChain(arguments.followingCandidate, panel: panel),
        start: { row in
            var quad = Quad()
            if let gradient = arguments.outputGradient {
                let base = gradient + row &* arguments.outputGradientStride + strip &* laneCount
                quad = loadQuad(vectors, base, laneCount, lastColumns)
            }
            if arguments.readsHiddenCarry {
                let base = arguments.hiddenCarry + row &* arguments.gateStride + strip &* laneCount
                let there = Quad(vectors: vectors, loading: base, stride: laneCount)
                quad = addQuad(vectors, quad, there)
            }
            return quad
        },
        finish: { quad, row in
            forEachVector(quad, vectors) { dh, vector in derivatives(dh, (strip &+ vector) &* laneCount, row) }
        })
}
