import BatonKernelABI

/// C = start + A·B on packed panels (see `MatrixProductArguments`).
func matrixProduct(_ arguments: MatrixProductArguments) {
    let limit = arguments.panelStrips > 0 ? arguments.panelStrips : PackedPanels.stripLimit
    let together = arguments.rows == 1 ? RowPiece.panels(vectors: limit) : 1
    forEachPanel(strips: arguments.panels.stripCount, limit: limit, together: together, descends: false) {
        matrixPanel(arguments, vectors: $1, strip: $0, panels: $2)
    }
}

@inline(never) private func matrixPanel(
    _ arguments: MatrixProductArguments, vectors: Int, strip firstStrip: Int, panels: Int
) {
    let rowStride = arguments.target.rowStride
    let stripStride = arguments.target.stripStride
    // Panels of given width have their targets a given distance apart, others one strip after the other.
    let target =
        arguments.target.base
        + (arguments.panelStrips > 0 ? firstStrip / vectors &* arguments.panelStride : firstStrip &* stripStride)
    let panelStride = arguments.panelStrips > 0 ? arguments.panelStride : vectors &* stripStride
    let firstLastColumns = arguments.columns &- (firstStrip &+ vectors &- 1) &* laneCount
    runTiles(
        rows: arguments.rows, vectors: vectors, panels: panels,
        PanelChain(arguments.operand, arguments.panels, strip: firstStrip),
        PanelChain(empty: arguments.panels), secondLast: vectors &- 1, scratch: arguments.scratch,
        start: { panel, row, accumulators in
            let strip = firstStrip &+ panel &* vectors
            var first = Quad()
            switch arguments.start {
            case .zero: break
            case .bias:
                if let bias = arguments.bias {
                    first = Quad(vectors: vectors, loading: bias + strip &* laneCount, stride: laneCount)
                }
            case .target:
                first = loadQuad(
                    vectors, target + panel &* panelStride + row &* rowStride, stripStride,
                    firstLastColumns &- panel &* vectors &* laneCount)
            }
            storeQuad(first, vectors, accumulators, laneCount, laneCount)
        },
        finish: { panel, accumulators, firstRow, count in
            let lastColumns = firstLastColumns &- panel &* vectors &* laneCount
            for index in 0..<count {
                let sums = Quad(vectors: vectors, loading: accumulators.row(index), stride: laneCount)
                let element = target + panel &* panelStride + (firstRow &+ index) &* rowStride
                let result =
                    arguments.adds
                    ? addQuad(vectors, sums, loadQuad(vectors, element, stripStride, lastColumns)) : sums
                storeQuad(result, vectors, element, stripStride, lastColumns)
            }
        })
}
