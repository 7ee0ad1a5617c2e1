import BatonKernelABI

/// One Elman time step, h = φ(a), on up to four unit strips at a time.
func rnnForward(_ arguments: RecurrentForwardArguments) {
    fetchOperand(arguments.hidden, rows: arguments.step.rows)
    let together = arguments.step.rows == 1 ? RowPiece.panels(vectors: 4) : 1
    forEachPanel(
        strips: arguments.hiddenPanels.stripCount, limit: PackedPanels.stripLimit, together: together,
        descends: arguments.step.descends
    ) { rnnForwardPanel(arguments, vectors: $1, strip: $0, panels: $2) }
}

@inline(never) private func rnnForwardPanel(
    _ arguments: RecurrentForwardArguments, vectors: Int, strip firstStrip: Int, panels: Int
) {
    runTiles(
        rows: arguments.step.rows, vectors: vectors, panels: panels,
        PanelChain(arguments.input, arguments.inputPanels, strip: firstStrip),
        PanelChain(arguments.hidden, arguments.hiddenPanels, strip: firstStrip),
        secondLast: vectors &- 1, scratch: arguments.step.scratch,
        start: { panel, row, accumulators in
            let strip = firstStrip &+ panel &* vectors
            let first = (arguments.inputProduct?.row(row) ?? arguments.constants.bias) + strip &* laneCount
            storeQuad(
                Quad(vectors: vectors, loading: first, stride: laneCount), vectors, accumulators, laneCount, laneCount)
        },
        finish: { panel, accumulators, firstRow, count in
            let strip = firstStrip &+ panel &* vectors
            let lastColumns = arguments.step.hiddenSize &- (strip &+ vectors &- 1) &* laneCount
            for vector in 0..<vectors {
                let columns = vector == vectors &- 1 ? smaller(laneCount, lastColumns) : laneCount
                let scale = arguments.constants.scales.map { load($0 + (strip &+ vector) &* laneCount) } ?? splat(1)
                for index in 0..<count {
                    let sum = scale * load(accumulators.row(index) + vector &* laneCount)
                    storePartial(
                        activation(sum, arguments.step.usesRelu),
                        arguments.output.row(firstRow &+ index)
                            + (strip &+ vector) &* laneCount, columns)
                }
            }
        })
}

@inline(__always) private func activation(_ a: Lane, _ usesRelu: Bool) -> Lane {
    usesRelu ? a.replacing(with: Lane(), where: a .< Lane()) : laneTanh(a)
}

/// One Elman time step backwards: da = dh⊙(1−h²) (tanh) or dh⊙[h>0] (relu, derivative 0 at 0).
func rnnBackward(_ arguments: RecurrentBackwardArguments) {
    forEachBackwardPanel(arguments) { rnnBackwardPanel(arguments, vectors: $1, strip: $0) }
}

@inline(never) private func rnnBackwardPanel(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int
) {
    guard let hidden = arguments.hidden else { return }
    runBackwardTiles(
        arguments, vectors: vectors, strip: strip,
        fetch: { unit, row in
            fetchKept(hidden.row(row) + unit, vectors: vectors)
            fetchKept(arguments.gates.row(row) + unit, vectors: vectors)
        }
    ) { rnnBackwardRows(arguments, hidden, $0) }
}

@inline(never) private func rnnBackwardRows(
    _ arguments: RecurrentBackwardArguments, _ hidden: StridedRows, _ rows: BackwardRows
) {
    for vector in 0..<rows.vectors {
        let unit = rows.unit(ofVector: vector)
        for index in 0..<rows.count {
            let row = rows.first &+ index
            let dh = rows.hiddenGradient(index, vector: vector)
            let h = loadPartial(
                hidden.row(row) + unit, smaller(laneCount, arguments.step.hiddenSize &- unit))
            let da =
                arguments.step.usesRelu
                ? dh.replacing(with: Lane(), where: h .<= Lane())
                : dh * (splat(1) - h * h)
            store(da, arguments.gates.row(row) + unit)
        }
    }
}
