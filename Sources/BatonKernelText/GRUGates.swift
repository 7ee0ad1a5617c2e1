import BatonKernelABI

/// One GRU time step (reset after the product).
///
///     r, z = σ(·), n = tanh(Aₙ + r⊙Qₙ), h = (1−z)⊙n + z⊙h₋₁;  A from the input, Q from the hidden side
///
/// The four accumulators of a row are r, z, Aₙ and Qₙ: r and z are one chain over both sides, Aₙ and Qₙ one each.
func gruForward(_ arguments: RecurrentForwardArguments) {
    forEachForwardPanel(arguments, gates: 3) { strip, panels in
        gruForwardPanel(arguments, strip: strip, panels: panels)
    }
}

@inline(never) private func gruForwardPanel(
    _ arguments: RecurrentForwardArguments, strip firstStrip: Int, panels: Int
) {
    runTiles(
        rows: arguments.step.rows, vectors: 3, panels: panels,
        PanelChain(arguments.input, arguments.inputPanels, strip: firstStrip &* 3),
        PanelChain(arguments.hidden, arguments.hiddenPanels, strip: firstStrip &* 3),
        secondLast: 3, scratch: arguments.step.scratch,
        start: { panel, row, accumulators in
            let strip = firstStrip &+ panel
            storeFirstGates(arguments, count: 3, strip: strip, row: row, accumulators)
            store(load(arguments.constants.hiddenCandidateBias + strip &* laneCount), accumulators + 3 &* laneCount)
        },
        finish: { panel, accumulators, firstRow, count in
            let rows = ForwardRows(
                strip: firstStrip &+ panel, accumulators: accumulators, first: firstRow, count: count)
            if arguments.constants.scales == nil {
                gruPlainRows(arguments, rows)
            } else {
                gruScaledRows(arguments, rows)
            }
        })
}

// Two functions, as of the LSTM.
@inline(never) private func gruPlainRows(_ arguments: RecurrentForwardArguments, _ rows: ForwardRows) {
    gruRows(arguments, rows, scales: nil)
}
@inline(never) private func gruScaledRows(_ arguments: RecurrentForwardArguments, _ rows: ForwardRows) {
    gruRows(arguments, rows, scales: Quad(scales: arguments.constants.scales, panel: rows.strip, vectors: 3))
}

@_transparent private func gruRows(_ arguments: RecurrentForwardArguments, _ rows: ForwardRows, scales: Quad?) {
    let gateStride = arguments.gates.gateStride
    let unit = rows.strip &* laneCount
    let columns = arguments.columns(ofStrip: rows.strip)
    // r and z in a loop of their own, as h of the LSTM; they wait where their sums stood.
    for index in 0..<rows.count {
        let waiting = rows.accumulators.row(index)
        var sums = Quad(vectors: 2, loading: waiting, stride: laneCount)
        if let scales {
            sums.v0 *= scales.v0
            sums.v1 *= scales.v1
        }
        store(laneSigmoid(sums.v0), waiting)
        store(laneSigmoid(sums.v1), waiting + laneCount)
    }
    for index in 0..<rows.count {
        let row = rows.first &+ index
        var sums = Quad(vectors: 4, loading: rows.accumulators.row(index), stride: laneCount)
        if let scales {
            sums.v2 *= scales.v2
            sums.v3 *= scales.v2
        }
        let (r, z, q) = (sums.v0, sums.v1, sums.v3)
        let n = laneTanh(mulAdd(r, q, sums.v2))
        var previous = Lane()
        if let hidden = arguments.previousHidden {
            previous = loadPartial(hidden.row(row) + unit, columns)
        }
        storePartial(
            mulAdd(z, previous, (splat(1) - z) * n), arguments.output.row(row) + unit,
            columns)
        if arguments.savesGates {
            let saved = arguments.gates.row(row) + unit
            store(r, saved)
            store(z, saved + gateStride)
            store(n, saved + 2 &* gateStride)
            store(q, saved + 3 &* gateStride)
        }
    }
}

/// One GRU time step backwards.
///
///     dn = dh⊙(1−z)⊙(1−n²), dz = dh⊙(h₋₁−n)⊙z(1−z), dr = dn⊙Qₙ⊙r(1−r), dqₙ = dn⊙r; carry ← dh⊙z
func gruBackward(_ arguments: RecurrentBackwardArguments) {
    forEachBackwardPanel(arguments) { gruBackwardPanel(arguments, vectors: $1, strip: $0) }
}

@inline(never) private func gruBackwardPanel(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int
) {
    runBackwardTiles(
        arguments, vectors: vectors, strip: strip,
        fetch: { unit, row in
            fetchKeptGates(arguments, unit: unit, row: row, vectors: vectors)
            if let hidden = arguments.hidden {
                fetchKept(hidden.row(row) + unit, vectors: vectors)
            }
        }
    ) { gruBackwardRows(arguments, $0) }
}

@inline(never) private func gruBackwardRows(_ arguments: RecurrentBackwardArguments, _ rows: BackwardRows) {
    let gateStride = arguments.gates.gateStride
    for vector in 0..<rows.vectors {
        let unit = rows.unit(ofVector: vector)
        for index in 0..<rows.count {
            let row = rows.first &+ index
            let dh = rows.hiddenGradient(index, vector: vector)
            let gates = arguments.gates.row(row) + unit
            var previous = Lane()
            if let hidden = arguments.hidden {
                previous = loadPartial(
                    hidden.row(row) + unit, smaller(laneCount, arguments.step.hiddenSize &- unit))
            }
            let r = load(gates)
            let z = load(gates + gateStride)
            let n = load(gates + 2 &* gateStride)
            let q = load(gates + 3 &* gateStride)
            let one = splat(1)
            let dn = dh * (one - z) * (one - n * n)
            store(dn * q * (r * (one - r)), gates)
            store(dh * (previous - n) * (z * (one - z)), gates + gateStride)
            store(dn, gates + 2 &* gateStride)
            store(dn * r, gates + 3 &* gateStride)
            store(dh * z, arguments.hiddenCarry + row &* gateStride + unit)
        }
    }
}
