import BatonKernelABI

/// C = start + A·B on packed panels (see `MatrixProductArguments`).
func matrixProduct(_ arguments: MatrixProductArguments) {
    let grouped = arguments.panelStrips > 0
    let panels = BalancedParts(arguments.panels.stripCount, limit: grouped ? arguments.panelStrips : 4)
    withAccumulatorMemory(rows: arguments.rows) { scratch in
        var strip = 0
        for index in 0..<panels.parts {
            let target =
                arguments.target.base
                + (grouped ? index &* arguments.panelStride : strip &* arguments.target.stripStride)
            let vectors = panels.size(index)
            matrixPanel(arguments, vectors: vectors, strip: strip, target: target, scratch)
            strip &+= vectors
        }
    }
}

@inline(never) private func matrixPanel(
    _ arguments: MatrixProductArguments, vectors: Int, strip: Int, target: UnsafeMutablePointer<Float>,
    _ scratch: UnsafeMutablePointer<Float>
) {
    let rowStride = arguments.target.rowStride
    let stripStride = arguments.target.stripStride
    let lastColumns = arguments.columns &- (strip &+ vectors &- 1) &* laneCount
    runTiles(
        rows: arguments.rows, vectors: vectors, PanelChain(arguments.operand, arguments.panels, strip: strip),
        PanelChain(empty: arguments.panels), secondLast: vectors &- 1, scratch: scratch,
        start: { row, accumulators in
            var first = Quad()
            switch arguments.start {
            case .zero: break
            case .bias:
                if let bias = arguments.bias {
                    first = Quad(vectors: vectors, loading: bias + strip &* laneCount, stride: laneCount)
                }
            case .target: first = loadQuad(vectors, target + row &* rowStride, stripStride, lastColumns)
            }
            storeQuad(first, vectors, accumulators, laneCount, laneCount)
        },
        finish: { accumulators, firstRow, count in
            for index in 0..<count {
                let sums = Quad(vectors: vectors, loading: accumulators.row(index), stride: laneCount)
                let element = target + (firstRow &+ index) &* rowStride
                let result =
                    arguments.adds
                    ? addQuad(vectors, sums, loadQuad(vectors, element, stripStride, lastColumns)) : sums
                storeQuad(result, vectors, element, stripStride, lastColumns)
            }
        })
}
