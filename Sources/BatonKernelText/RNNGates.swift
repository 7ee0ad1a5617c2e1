import BatonKernelABI

/// One Elman time step, h = φ(a), on up to four unit strips at a time.
func rnnForward(_ arguments: RecurrentForwardArguments) {
    let panels = BalancedParts(arguments.hiddenPanels.stripCount, limit: 4)
    var strip = 0
    for index in 0..<panels.parts {
        let vectors = panels.size(index)
        switch vectors {
        case 4: rnnForwardPanel4(arguments, strip)
        case 3: rnnForwardPanel3(arguments, strip)
        case 2: rnnForwardPanel2(arguments, strip)
        default: rnnForwardPanel1(arguments, strip)
        }
        strip &+= vectors
    }
}

// One function per panel width (see MatrixProduct.swift).
@inline(never) private func rnnForwardPanel4(_ arguments: RecurrentForwardArguments, _ strip: Int) {
    rnnForwardPanel(arguments, vectors: 4, strip: strip)
}
@inline(never) private func rnnForwardPanel3(_ arguments: RecurrentForwardArguments, _ strip: Int) {
    rnnForwardPanel(arguments, vectors: 3, strip: strip)
}
@inline(never) private func rnnForwardPanel2(_ arguments: RecurrentForwardArguments, _ strip: Int) {
    rnnForwardPanel(arguments, vectors: 2, strip: strip)
}
@inline(never) private func rnnForwardPanel1(_ arguments: RecurrentForwardArguments, _ strip: Int) {
    rnnForwardPanel(arguments, vectors: 1, strip: strip)
}

@inline(__always) private func rnnForwardPanel(_ arguments: RecurrentForwardArguments, vectors: Int, strip: Int) {
    let gates = arguments.gates + strip &* laneCount
    let lastColumns = arguments.hiddenSize &- (strip &+ vectors &- 1) &* laneCount
    runTiles(
        rows: arguments.rows, vectors: vectors,
        PanelChain(
            arguments.input, panel: arguments.inputPanels.base + strip &* arguments.inputPanels.depth &* laneCount),
        PanelChain(
            arguments.hidden, panel: arguments.hiddenPanels.base + strip &* arguments.hiddenPanels.depth &* laneCount),
        secondLast: vectors &- 1,
        start: { row, accumulators in
            let first =
                arguments.gatesHoldInput
                ? Quad(vectors: vectors, loading: gates + row &* arguments.gateRowStride, stride: laneCount)
                : Quad(vectors: vectors, loading: arguments.bias + strip &* laneCount, stride: laneCount)
            storeQuad(first, vectors, accumulators, laneCount, laneCount)
        },
        finish: { accumulators, firstRow, count in
            for index in 0..<count {
                let sums = accumulators.row(index)
                var h = Quad()
                h.v0 = activation(load(sums), arguments.usesRelu)
                if vectors > 1 { h.v1 = activation(load(sums + laneCount), arguments.usesRelu) }
                if vectors > 2 { h.v2 = activation(load(sums + 2 &* laneCount), arguments.usesRelu) }
                if vectors > 3 { h.v3 = activation(load(sums + 3 &* laneCount), arguments.usesRelu) }
                storeQuad(
                    h, vectors, arguments.output + (firstRow &+ index) &* arguments.outputStride + strip &* laneCount,
                    laneCount, lastColumns)
            }
        })
}

@inline(__always) private func activation(_ a: Lane, _ usesRelu: Bool) -> Lane {
    usesRelu ? a.replacing(with: Lane(), where: a .< Lane()) : laneTanh(a)
}

/// One Elman time step backwards: da = dh⊙(1−h²) (tanh) or dh⊙[h>0] (relu, derivative 0 at 0).
func rnnBackward(_ arguments: RecurrentBackwardArguments) {
    backwardPanels(arguments) { strip, vectors in
        switch vectors {
        case 4: rnnBackwardPanel4(arguments, strip)
        case 3: rnnBackwardPanel3(arguments, strip)
        case 2: rnnBackwardPanel2(arguments, strip)
        default: rnnBackwardPanel1(arguments, strip)
        }
    }
}

// One function per panel width (see MatrixProduct.swift).
@inline(never) private func rnnBackwardPanel4(_ arguments: RecurrentBackwardArguments, _ strip: Int) {
    rnnBackwardPanel(arguments, vectors: 4, strip: strip)
}
@inline(never) private func rnnBackwardPanel3(_ arguments: RecurrentBackwardArguments, _ strip: Int) {
    rnnBackwardPanel(arguments, vectors: 3, strip: strip)
}
@inline(never) private func rnnBackwardPanel2(_ arguments: RecurrentBackwardArguments, _ strip: Int) {
    rnnBackwardPanel(arguments, vectors: 2, strip: strip)
}
@inline(never) private func rnnBackwardPanel1(_ arguments: RecurrentBackwardArguments, _ strip: Int) {
    rnnBackwardPanel(arguments, vectors: 1, strip: strip)
}

@inline(__always) private func rnnBackwardPanel(_ arguments: RecurrentBackwardArguments, vectors: Int, strip: Int) {
    guard let hidden = arguments.hidden else { return }
    runBackwardTiles(arguments, vectors: vectors, strip: strip) { dh, unit, row in
        let h = loadPartial(
            hidden + row &* arguments.hiddenStride + unit, smaller(laneCount, arguments.hiddenSize &- unit))
        let da =
            arguments.usesRelu
            ? dh.replacing(with: Lane(), where: h .<= Lane())
            : dh * (splat(1) - h * h)
        store(da, arguments.gates + row &* arguments.gateRowStride + unit)
    }
}
