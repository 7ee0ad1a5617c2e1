import BatonKernelABI
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
    /// Of an LSTM.
    let projection: Int?
    let stateClip: StateClip?
    var parameters: OracleParameters
    var input: [Double]
    var initialHidden: [Double]
    var initialCell: [Double]
    let outputGradient: [Double]
    var finalHiddenGradient: [Double]
    var finalCellGradient: [Double]

    init(
        _ cell: RecurrentKind, _ shape: NamedShape, twoChains: Bool = false, reverse: Bool = false,
        projection: Int? = nil, stateClip: StateClip? = nil
    ) {
        self.cell = cell
        self.projection = projection
        self.stateClip = stateClip
        self.shape = shape
        self.reverse = reverse
        let (t, n, c, h) = (shape.steps, shape.batch, shape.inputSize, shape.hidden)
        let r = projection ?? h
        chains = twoChains && c >= 2 ? [c / 2, c - c / 2] : [c]
        var random = SeededRandom(seed: UInt64(t * 7 + n * 131 + c * 1009 + h))
        parameters = OracleParameters.random(
            OracleCell(cell), inputSize: c, hidden: h, projection: projection, using: &random
        ).map(Self.rounded)
        input = random.array(t * n * c).map(Self.rounded)
        initialHidden = random.array(n * r).map(Self.rounded)
        initialCell = random.array(n * h).map(Self.rounded)
        outputGradient = random.array(t * n * r).map(Self.rounded)
        finalHiddenGradient = random.array(n * r).map(Self.rounded)
        finalCellGradient = random.array(n * h).map(Self.rounded)
    }

    /// The same case in a shorter window.
    init(_ whole: LayerCase, firstSteps steps: Int) {
        cell = whole.cell
        let full = whole.shape
        shape = NamedShape(
            full.name, steps: steps, batch: full.batch, inputSize: full.inputSize, hidden: full.hidden)
        chains = whole.chains
        reverse = whole.reverse
        projection = whole.projection
        stateClip = whole.stateClip
        parameters = whole.parameters
        input = Array(whole.input.prefix(steps * full.batch * full.inputSize))
        initialHidden = whole.initialHidden
        initialCell = whole.initialCell
        outputGradient = Array(whole.outputGradient.prefix(steps * full.batch * whole.outputSize))
        finalHiddenGradient = whole.finalHiddenGradient
        finalCellGradient = whole.finalCellGradient
    }

    private static func rounded(_ x: Double) -> Double { Double(Scalar(x)) }

    /// R.
    var outputSize: Int { projection ?? shape.hidden }

    var recurrentShape: RecurrentShape {
        RecurrentShape(
            cell: cell, inputChains: chains, hidden: shape.hidden, projection: projection, stateClip: stateClip)
    }

    var oracle: OracleLayer {
        OracleLayer(
            OracleCell(cell), inputSize: shape.inputSize, hidden: shape.hidden, reverse: reverse,
            parameters: parameters,
            clip: stateClip.map { OracleClip(lower: $0.lower, upper: $0.upper, replacesNaN: $0.replacesNaN) })
    }

    /// Products that one element of an output or of a gradient accumulates.
    var depth: Int {
        max(shape.inputSize + shape.hidden, shape.batch) * shape.steps * cell.gateCount * (projection == nil ? 1 : 2)
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
