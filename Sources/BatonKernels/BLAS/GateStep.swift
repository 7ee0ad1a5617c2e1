internal import BatonKernelABI

/// One step of R rows of a cell after the products: all arrays are contiguous, R rows each.
struct GateStep<Scalar: BLASScalar> {
    var rows: Int
    var hidden: Int
    /// (R, G·H) pre-activations; activations afterwards. For the GRU the input half A = x·Wᵀ + b.
    var gates: UnsafeMutablePointer<Scalar>
    /// (R, 3H) GRU only: the recurrent half Q = h₋₁·Uᵀ + q.
    var recurrentGates: UnsafeMutablePointer<Scalar>
    /// (R, H) h₋₁ and h; may be the same memory. The cell states are touched for the LSTM only.
    var previousHidden: UnsafePointer<Scalar>
    var nextHidden: UnsafeMutablePointer<Scalar>
    var previousCell: UnsafePointer<Scalar>
    var nextCell: UnsafeMutablePointer<Scalar>
    /// (R, H) kept for the backward pass: tanh c (LSTM) or Q's n block (GRU). nil in inference.
    var kept: UnsafeMutablePointer<Scalar>?
    /// LSTM only.
    var stateClip: StateClip?

    @inline(__always) func activate(_ cell: RecurrentKind) {
        switch cell {
        case .rnnTanh: activateRNN { Scalar.hyperbolicTangent($0) }
        // Written so that NaN passes through.
        case .rnnRelu: activateRNN { $0 < 0 ? 0 : $0 }
        case .lstm: activateLSTM()
        case .gru: activateGRU()
        }
    }

    /// h = φ(a)
    @inline(__always) private func activateRNN(_ function: (Scalar) -> Scalar) {
        for i in 0..<rows * hidden { nextHidden[i] = function(gates[i]) }
    }

    /// c = f⊙c₋₁ + i⊙g, h = o⊙tanh c
    @inline(__always) private func activateLSTM() {
        for row in 0..<rows {
            let a = gates + row * 4 * hidden
            for unit in 0..<hidden {
                let input = Scalar.sigmoid(a[unit])
                let forget = Scalar.sigmoid(a[hidden + unit])
                let candidate = Scalar.hyperbolicTangent(a[2 * hidden + unit])
                let output = Scalar.sigmoid(a[3 * hidden + unit])
                var state = forget * previousCell[row * hidden + unit] + input * candidate
                if let stateClip { state = stateClip.clipped(state) }
                let squashed = Scalar.hyperbolicTangent(state)
                a[unit] = input
                a[hidden + unit] = forget
                a[2 * hidden + unit] = candidate
                a[3 * hidden + unit] = output
                nextCell[row * hidden + unit] = state
                nextHidden[row * hidden + unit] = output * squashed
                if let kept { kept[row * hidden + unit] = squashed }
            }
        }
    }

    /// r, z = σ(A + Q), n = tanh(A + r⊙Q), h = (1 − z)⊙n + z⊙h₋₁
    @inline(__always) private func activateGRU() {
        for row in 0..<rows {
            let a = gates + row * 3 * hidden
            let q = recurrentGates + row * 3 * hidden
            for unit in 0..<hidden {
                let reset = Scalar.sigmoid(a[unit] + q[unit])
                let update = Scalar.sigmoid(a[hidden + unit] + q[hidden + unit])
                let recurrent = q[2 * hidden + unit]
                let candidate = Scalar.hyperbolicTangent(a[2 * hidden + unit] + reset * recurrent)
                a[unit] = reset
                a[hidden + unit] = update
                a[2 * hidden + unit] = candidate
                let before = previousHidden[row * hidden + unit]
                nextHidden[row * hidden + unit] = (1 - update) * candidate + update * before
                if let kept { kept[row * hidden + unit] = recurrent }
            }
        }
    }
}

extension StateClip {
    @inline(__always) fileprivate func clipped<Scalar: BLASScalar>(_ state: Scalar) -> Scalar {
        if state < Scalar(lower) || replacesNaN && state.isNaN { return Scalar(lower) }
        return state > Scalar(upper) ? Scalar(upper) : state
    }

    /// Whether c does not follow its candidate.
    @inline(__always) func isOutside<Scalar: BLASScalar>(_ candidate: Scalar) -> Bool {
        candidate < Scalar(lower) || candidate > Scalar(upper) || replacesNaN && candidate.isNaN
    }
}
