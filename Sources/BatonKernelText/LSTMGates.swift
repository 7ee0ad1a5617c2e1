import BatonKernelABI

/// One LSTM time step: both products and the gates in one pass over the registers.
///
///     i, f, o = σ(·), g = tanh(·), c = f⊙c₋₁ + i⊙g, h = o⊙tanh c
func lstmForward(_ arguments: RecurrentForwardArguments) {
    forEachPanel(strips: arguments.hiddenPanels.stripCount / 4, limit: 1, descends: arguments.descends) { strip, _ in
        lstmForwardPanel(arguments, strip: strip)
    }
}

@inline(never) private func lstmForwardPanel(_ arguments: RecurrentForwardArguments, strip: Int) {
    let gateStride = arguments.gateStride
    let gates = arguments.gates + strip &* laneCount
    let columns = smaller(laneCount, arguments.hiddenSize &- strip &* laneCount)
    runTiles(
        rows: arguments.rows, vectors: 4,
        PanelChain(
            arguments.input,
            panel: arguments.inputPanels.base + strip &* 4 &* arguments.inputPanels.depth &* laneCount),
        PanelChain(
            arguments.hidden,
            panel: arguments.hiddenPanels.base + strip &* 4 &* arguments.hiddenPanels.depth &* laneCount),
        secondLast: 3,
        start: { row, accumulators in
            let first =
                arguments.gatesHoldInput
                ? Quad(vectors: 4, loading: gates + row &* arguments.gateRowStride, stride: gateStride)
                : Quad(vectors: 4, loading: arguments.bias + strip &* 4 &* laneCount, stride: laneCount)
            storeQuad(first, 4, accumulators, laneCount, laneCount)
        },
        finish: { accumulators, firstRow, count in
            for index in 0..<count {
                let row = firstRow &+ index
                let sums = accumulators.row(index)
                let i = laneSigmoid(load(sums))
                let f = laneSigmoid(load(sums + laneCount))
                let g = laneTanh(load(sums + 2 &* laneCount))
                let o = laneSigmoid(load(sums + 3 &* laneCount))
                let offset = row &* gateStride &+ strip &* laneCount
                let c = mulAdd(f, load(arguments.previousCell + offset), i * g)
                store(c, arguments.cell + offset)
                storePartial(
                    o * laneTanh(c), arguments.output + row &* arguments.outputStride + strip &* laneCount, columns)
                if arguments.savesGates {
                    let saved = gates + row &* arguments.gateRowStride
                    store(i, saved)
                    store(f, saved + gateStride)
                    store(g, saved + 2 &* gateStride)
                    store(o, saved + 3 &* gateStride)
                }
            }
        })
}

/// One LSTM time step backwards, on four unit strips at a time: dh from the following step's gates, then
///
///     dc += dh⊙o⊙(1−s²), s = tanh c;  di = dc⊙g⊙i(1−i), df = dc⊙c₋₁⊙f(1−f), dg = dc⊙i⊙(1−g²), do = dh⊙s⊙o(1−o);
///     dc ← dc⊙f
func lstmBackward(_ arguments: RecurrentBackwardArguments) {
    forEachPanel(strips: arguments.hiddenPanels.stripCount, limit: 4, descends: arguments.descends) {
        lstmBackwardPanel(arguments, vectors: $1, strip: $0)
    }
}

private func lstmBackwardPanel(
    _ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int
) {
    let gateStride = arguments.gateStride
    runBackwardTiles(arguments, vectors: vectors, strip: strip) { dh, unit, row in
        let gates = arguments.gates + row &* arguments.gateRowStride + unit
        let offset = row &* gateStride &+ unit
        let carry = arguments.cellCarry + offset
        let i = load(gates)
        let f = load(gates + gateStride)
        let g = load(gates + 2 &* gateStride)
        let o = load(gates + 3 &* gateStride)
        let s = laneTanh(load(arguments.cell + offset))
        let one = splat(1)
        let dc = mulAdd(dh * o, one - s * s, load(carry))
        store(dc * g * (i * (one - i)), gates)
        store(dc * load(arguments.previousCell + offset) * (f * (one - f)), gates + gateStride)
        store(dc * i * (one - g * g), gates + 2 &* gateStride)
        store(dh * s * (o * (one - o)), gates + 3 &* gateStride)
        store(dc * f, carry)
    }
}
