internal import BatonKernelABI

/// The backward half of `GateStep`: R rows of one step, contiguous arrays.
struct GateStepGradient<Scalar: BLASScalar> {
    var rows: Int
    var hidden: Int
    /// (R, G·H) activations of the forward step; not read for the RNN.
    var gates: UnsafePointer<Scalar>
    /// (R, H) what the forward step kept: tanh c (LSTM) or Q's n block (GRU).
    var kept: UnsafePointer<Scalar>
    /// (R, H) of the forward step.
    var previousHidden: UnsafePointer<Scalar>
    var nextHidden: UnsafePointer<Scalar>
    var previousCell: UnsafePointer<Scalar>
    /// (R, H) gradient of h, dy_t included. For the GRU replaced by dh⊙z, the share that reaches h₋₁ directly.
    var hiddenGradient: UnsafeMutablePointer<Scalar>
    /// (R, H) gradient of c after this step; of c₋₁ afterwards. LSTM only.
    var cellGradient: UnsafeMutablePointer<Scalar>
    /// (R, G·H) gradient of the pre-activations (of A for the GRU), written.
    var gateGradient: UnsafeMutablePointer<Scalar>
    /// (R, 3H) gradient of Q, written. GRU only; every other cell's is `gateGradient`.
    var recurrentGateGradient: UnsafeMutablePointer<Scalar>
    /// LSTM only. Where it clipped c, nothing flows back through c.
    var stateClip: StateClip?

    @inline(__always) func differentiate(_ cell: RecurrentKind) {
        switch cell {
        case .rnnTanh: differentiateRNN { 1 - $0 * $0 }
        // Where h is not a number the gradient goes on, as in the packed kernels.
        case .rnnRelu: differentiateRNN { $0 <= 0 ? 0 : 1 }
        case .lstm: differentiateLSTM()
        case .gru: differentiateGRU()
        }
    }

    /// da = dh⊙φ′, φ′ as a function of h
    @inline(__always) private func differentiateRNN(_ slope: (Scalar) -> Scalar) {
        for i in 0..<rows * hidden { gateGradient[i] = hiddenGradient[i] * slope(nextHidden[i]) }
    }

    /// dc ← dc + dh⊙o⊙(1 − s²) with s = tanh c, then the four gates, then dc ← dc⊙f
    @inline(__always) private func differentiateLSTM() {
        for row in 0..<rows {
            let activation = gates + row * 4 * hidden
            let gradient = gateGradient + row * 4 * hidden
            for unit in 0..<hidden {
                let input = activation[unit]
                let forget = activation[hidden + unit]
                let candidate = activation[2 * hidden + unit]
                let output = activation[3 * hidden + unit]
                let squashed = kept[row * hidden + unit]
                let dh = hiddenGradient[row * hidden + unit]
                let dc = cellGradient[row * hidden + unit] + dh * output * (1 - squashed * squashed)
                gradient[unit] = dc * candidate * input * (1 - input)
                gradient[hidden + unit] = dc * previousCell[row * hidden + unit] * forget * (1 - forget)
                gradient[2 * hidden + unit] = dc * input * (1 - candidate * candidate)
                gradient[3 * hidden + unit] = dh * squashed * output * (1 - output)
                cellGradient[row * hidden + unit] = dc * forget
                // The candidate is made anew by the forward step's own operations.
                if let stateClip,
                    stateClip.isOutside(forget * previousCell[row * hidden + unit] + input * candidate)
                {
                    for gate in 0..<3 { gradient[gate * hidden + unit] = 0 }
                    cellGradient[row * hidden + unit] = 0
                }
            }
        }
    }

    /// dn = dh⊙(1−z)⊙(1−n²), dz = dh⊙(h₋₁−n)⊙z(1−z), dr = dn⊙Qₙ⊙r(1−r); dA = [dr dz dn], dQ = [dr dz dn⊙r]
    @inline(__always) private func differentiateGRU() {
        for row in 0..<rows {
            let activation = gates + row * 3 * hidden
            let gradient = gateGradient + row * 3 * hidden
            let recurrentGradient = recurrentGateGradient + row * 3 * hidden
            for unit in 0..<hidden {
                let reset = activation[unit]
                let update = activation[hidden + unit]
                let candidate = activation[2 * hidden + unit]
                let dh = hiddenGradient[row * hidden + unit]
                let before = previousHidden[row * hidden + unit]
                let dn = dh * (1 - update) * (1 - candidate * candidate)
                let dz = dh * (before - candidate) * update * (1 - update)
                let dr = dn * kept[row * hidden + unit] * reset * (1 - reset)
                gradient[unit] = dr
                gradient[hidden + unit] = dz
                gradient[2 * hidden + unit] = dn
                recurrentGradient[unit] = dr
                recurrentGradient[hidden + unit] = dz
                recurrentGradient[2 * hidden + unit] = dn * reset
                hiddenGradient[row * hidden + unit] = dh * update
            }
        }
    }
}
