import BatonKernelABI

/// One LSTM time step: both products and the gates in one pass over the registers.
///
///     i, f, o = σ(·), g = tanh(·), c = f⊙c₋₁ + i⊙g, h = o⊙tanh c
func lstmForward(_ arguments: RecurrentForwardArguments) {
    forEachForwardPanel(arguments, gates: 4) { strip, panels in
        lstmForwardPanel(arguments, strip: strip, panels: panels)
    }
}

@inline(never) private func lstmForwardPanel(
    _ arguments: RecurrentForwardArguments, strip firstStrip: Int, panels: Int
) {
    runTiles(
        rows: arguments.step.rows, vectors: 4, panels: panels,
        PanelChain(arguments.input, arguments.inputPanels, strip: firstStrip &* 4),
        PanelChain(arguments.hidden, arguments.hiddenPanels, strip: firstStrip &* 4),
        secondLast: 3, scratch: arguments.step.scratch,
        start: { panel, row, accumulators in
            storeFirstGates(arguments, count: 4, strip: firstStrip &+ panel, row: row, accumulators)
            fetchStates(arguments, strip: firstStrip &+ panel, row: row)
        },
        finish: { panel, accumulators, firstRow, count in
            let rows = ForwardRows(
                strip: firstStrip &+ panel, accumulators: accumulators, first: firstRow, count: count)
            if arguments.constants.scales == nil && arguments.step.stateClip == nil {
                lstmPlainRows(arguments, rows)
            } else {
                lstmScaledRows(arguments, rows)
            }
        })
}

/// Fetches what a row's gates read and write besides their sums: the c of a step was written a whole step ago, and no step
/// has written where this one's gates are kept.
@inline(__always) private func fetchStates(_ arguments: RecurrentForwardArguments, strip: Int, row: Int) {
    let offset = row &* arguments.gates.gateStride &+ strip &* laneCount
    fetchKept(arguments.previousCell + offset, vectors: 1)
    guard arguments.savesGates else { return }
    fetchKept(arguments.cell + offset, vectors: 1)
    // Not where the product stood there.
    if let product = arguments.inputProduct, product.numbers == nil { return }
    let gates = arguments.gates.row(row) + strip &* laneCount
    for gate in 0..<4 { fetchKept(gates + gate &* arguments.gates.gateStride, vectors: 1) }
}

// Two functions, so that layers without scales and limits do not ask for them in every row.
@inline(never) private func lstmPlainRows(_ arguments: RecurrentForwardArguments, _ rows: ForwardRows) {
    lstmRows(arguments, rows, scales: nil, clip: nil)
}
@inline(never) private func lstmScaledRows(_ arguments: RecurrentForwardArguments, _ rows: ForwardRows) {
    lstmRows(
        arguments, rows, scales: Quad(scales: arguments.constants.scales, panel: rows.strip, vectors: 4),
        clip: arguments.step.stateClip)
}

@_transparent private func lstmRows(
    _ arguments: RecurrentForwardArguments, _ rows: ForwardRows, scales: Quad?, clip: StateClip?
) {
    let gateStride = arguments.gates.gateStride
    let unit = rows.strip &* laneCount
    let columns = arguments.columns(ofStrip: rows.strip)
    for index in 0..<rows.count {
        let row = rows.first &+ index
        var sums = Quad(vectors: 4, loading: rows.accumulators.row(index), stride: laneCount)
        if let scales {
            sums.v0 *= scales.v0
            sums.v1 *= scales.v1
            sums.v2 *= scales.v2
            sums.v3 *= scales.v3
        }
        let i = laneSigmoid(sums.v0)
        let f = laneSigmoid(sums.v1)
        let g = laneTanh(sums.v2)
        let o = laneSigmoid(sums.v3)
        let offset = row &* gateStride &+ unit
        var c = mulAdd(f, load(arguments.previousCell + offset), i * g)
        if let clip { c = clip.clipped(c) }
        store(c, arguments.cell + offset)
        // o waits where the sum of i stood.
        store(o, rows.accumulators.row(index))
        if arguments.savesGates {
            let saved = arguments.gates.row(row) + unit
            store(i, saved)
            store(f, saved + gateStride)
            store(g, saved + 2 &* gateStride)
            store(o, saved + 3 &* gateStride)
        }
    }
    // A loop of its own: so short that several rows are under way at once, where each would else wait for the one before it
    // in a chain twice as long.
    for index in 0..<rows.count {
        let row = rows.first &+ index
        let c = load(arguments.cell + row &* gateStride + unit)
        storePartial(
            load(rows.accumulators.row(index)) * laneTanh(c),
            arguments.output.row(row) + unit, columns)
    }
}

/// One LSTM time step backwards, on four unit strips at a time: dh from the following step's gates, then
///
///     dc += dh⊙o⊙(1−s²), s = tanh c;  di = dc⊙g⊙i(1−i), df = dc⊙c₋₁⊙f(1−f), dg = dc⊙i⊙(1−g²), do = dh⊙s⊙o(1−o);
///     dc ← dc⊙f
///
/// Where c was clipped nothing flows back through it: di, df, dg and dc are 0 there.
func lstmBackward(_ arguments: RecurrentBackwardArguments) {
    forEachBackwardPanel(arguments) { lstmBackwardPanel(arguments, vectors: $1, strip: $0) }
}

@inline(never) private func lstmBackwardPanel(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int
) {
    runBackwardTiles(
        arguments, vectors: vectors, strip: strip,
        fetch: { unit, row in
            fetchKeptGates(arguments, unit: unit, row: row, vectors: vectors)
            fetchKept(arguments.previousCell + row &* arguments.gates.gateStride + unit, vectors: vectors)
        }
    ) { rows in
        if let clip = arguments.step.stateClip {
            lstmClippedBackwardRows(arguments, rows, clip)
        } else {
            lstmPlainBackwardRows(arguments, rows)
        }
    }
}

@inline(never) private func lstmPlainBackwardRows(_ arguments: RecurrentBackwardArguments, _ rows: BackwardRows) {
    lstmBackwardRows(arguments, rows, clip: nil)
}
@inline(never) private func lstmClippedBackwardRows(
    _ arguments: RecurrentBackwardArguments, _ rows: BackwardRows, _ clip: StateClip
) {
    lstmBackwardRows(arguments, rows, clip: clip)
}

@_transparent private func lstmBackwardRows(
    _ arguments: RecurrentBackwardArguments, _ rows: BackwardRows, clip: StateClip?
) {
    let gateStride = arguments.gates.gateStride
    for vector in 0..<rows.vectors {
        let unit = rows.unit(ofVector: vector)
        for index in 0..<rows.count {
            let row = rows.first &+ index
            let dh = rows.hiddenGradient(index, vector: vector)
            let gates = arguments.gates.row(row) + unit
            let offset = row &* gateStride &+ unit
            let carry = arguments.cellCarry + offset
            let i = load(gates)
            let f = load(gates + gateStride)
            let g = load(gates + 2 &* gateStride)
            let o = load(gates + 3 &* gateStride)
            let previous = load(arguments.previousCell + offset)
            let s = laneTanh(load(arguments.cell + offset))
            let one = splat(1)
            let dc = mulAdd(dh * o, one - s * s, load(carry))
            var di = dc * g * (i * (one - i))
            var df = dc * previous * (f * (one - f))
            var dg = dc * i * (one - g * g)
            var carried = dc * f
            if let clip {
                let outside = clip.isOutside(mulAdd(f, previous, i * g))
                di = di.replacing(with: Lane(), where: outside)
                df = df.replacing(with: Lane(), where: outside)
                dg = dg.replacing(with: Lane(), where: outside)
                carried = carried.replacing(with: Lane(), where: outside)
            }
            store(di, gates)
            store(df, gates + gateStride)
            store(dg, gates + 2 &* gateStride)
            store(dh * s * (o * (one - o)), gates + 3 &* gateStride)
            store(carried, carry)
        }
    }
}

extension StateClip {
    @_transparent fileprivate func clipped(_ c: Lane) -> Lane {
        let (low, high) = (splat(Float(lower)), splat(Float(upper)))
        let limited = c.replacing(with: high, where: c .> high).replacing(with: low, where: c .< low)
        return replacesNaN ? limited.replacing(with: low, where: c .!= c) : limited
    }

    /// Where c does not follow its candidate, made anew by the forward step's own operations.
    @inline(__always) fileprivate func isOutside(_ candidate: Lane) -> SIMDMask<LaneInteger> {
        let outside = (candidate .< splat(Float(lower))) .| (candidate .> splat(Float(upper)))
        return replacesNaN ? outside .| (candidate .!= candidate) : outside
    }
}
