import BatonKernels
import BatonTestSupport

/// One layer and direction with random contents, everything rounded to the scalar type under test so that kernel and
/// oracle read the same numbers.
struct LayerCase<Scalar: BinaryFloatingPoint & Sendable> {
    let cell: RecurrentKind
    let shape: NamedShape
    /// `[C]`, or C cut in two as above a bidirectional layer.
    let chains: [Int]
    let reverse: Bool
    let parameters: OracleParameters
    let input: [Double]
    let initialHidden: [Double]
    let initialCell: [Double]
    let outputGradient: [Double]
    let finalHiddenGradient: [Double]
    let finalCellGradient: [Double]

    init(_ cell: RecurrentKind, _ shape: NamedShape, twoChains: Bool = false, reverse: Bool = false) {
        self.cell = cell
        self.shape = shape
        self.reverse = reverse
        let (t, n, c, h) = (shape.steps, shape.batch, shape.inputSize, shape.hidden)
        chains = twoChains && c >= 2 ? [c / 2, c - c / 2] : [c]
        var random = SeededRandom(seed: UInt64(t * 7 + n * 131 + c * 1009 + h))
        var exact = OracleParameters.random(OracleCell(cell), inputSize: c, hidden: h, using: &random)
        exact.inputWeight = exact.inputWeight.map(Self.rounded)
        exact.hiddenWeight = exact.hiddenWeight.map(Self.rounded)
        exact.inputBias = exact.inputBias.map(Self.rounded)
        exact.hiddenBias = exact.hiddenBias.map(Self.rounded)
        parameters = exact
        input = random.array(t * n * c).map(Self.rounded)
        initialHidden = random.array(n * h).map(Self.rounded)
        initialCell = random.array(n * h).map(Self.rounded)
        outputGradient = random.array(t * n * h).map(Self.rounded)
        finalHiddenGradient = random.array(n * h).map(Self.rounded)
        finalCellGradient = random.array(n * h).map(Self.rounded)
    }

    private static func rounded(_ x: Double) -> Double { Double(Scalar(x)) }

    var recurrentShape: RecurrentShape { RecurrentShape(cell: cell, inputChains: chains, hidden: shape.hidden) }

    var oracle: OracleLayer {
        OracleLayer(
            OracleCell(cell), inputSize: shape.inputSize, hidden: shape.hidden, reverse: reverse,
            parameters: parameters)
    }

    /// Products that one element of an output or of a gradient accumulates.
    var depth: Int {
        max(shape.inputSize + shape.hidden, shape.batch) * shape.steps * cell.gateCount
    }

    func tolerance(backward: Bool) -> Double {
        Tolerance.relative(epsilon: Double(Scalar.ulpOfOne), depth: depth, backward: backward)
    }
}

extension OracleCell {
    init(_ cell: RecurrentKind) {
        switch cell {
        case .rnnTanh: self = .rnnTanh
        case .rnnRelu: self = .rnnRelu
        case .lstm: self = .lstm
        case .gru: self = .gru
        }
    }
}
