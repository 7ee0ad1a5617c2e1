/// The cells the oracle knows. It imports nothing of Baton, so that a misunderstanding cannot be shared.
public enum OracleCell: String, CaseIterable, Sendable {
    case rnnTanh = "rnn_tanh"
    case rnnRelu = "rnn_relu"
    case lstm
    case gru

    public var gateCount: Int {
        switch self {
        case .rnnTanh, .rnnRelu: 1
        case .gru: 3
        case .lstm: 4
        }
    }
}

/// Row-major parameters, or their gradients, of one layer and direction: (G·H, C), (G·H, R), (G·H), (G·H) and, for an
/// LSTM whose h is projected, (P, H); R is P or else H.
public struct OracleParameters: Sendable, Equatable {
    public var inputWeight: [Double]
    public var hiddenWeight: [Double]
    public var inputBias: [Double]
    public var hiddenBias: [Double]
    /// Empty if h is not projected.
    public var projectionWeight: [Double]

    public init(
        inputWeight: [Double], hiddenWeight: [Double], inputBias: [Double], hiddenBias: [Double],
        projectionWeight: [Double] = []
    ) {
        self.projectionWeight = projectionWeight
        self.inputWeight = inputWeight
        self.hiddenWeight = hiddenWeight
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
    }

    /// Uniform on ±1/√H, as recurrent layers are usually initialised.
    public static func random(
        _ cell: OracleCell, inputSize: Int, hidden: Int, projection: Int? = nil, using random: inout SeededRandom
    ) -> OracleParameters {
        let rows = cell.gateCount * hidden
        let scale = 1 / Double(hidden).squareRoot()
        return OracleParameters(
            inputWeight: random.array(rows * inputSize, scale: scale),
            hiddenWeight: random.array(rows * (projection ?? hidden), scale: scale),
            inputBias: random.array(rows, scale: scale), hiddenBias: random.array(rows, scale: scale),
            projectionWeight: random.array((projection ?? 0) * hidden, scale: scale))
    }

    /// Every value through a function.
    public func map(_ function: (Double) -> Double) -> OracleParameters {
        OracleParameters(
            inputWeight: inputWeight.map(function), hiddenWeight: hiddenWeight.map(function),
            inputBias: inputBias.map(function), hiddenBias: hiddenBias.map(function),
            projectionWeight: projectionWeight.map(function))
    }

    /// All zero, same sizes.
    public func zeros() -> OracleParameters { map { _ in 0 } }
}

/// Limits of an LSTM's c; NaN becomes the lower one if `replacesNaN`.
public struct OracleClip: Sendable {
    public var lower: Double
    public var upper: Double
    public var replacesNaN: Bool

    public init(lower: Double, upper: Double, replacesNaN: Bool = false) {
        self.lower = lower
        self.upper = upper
        self.replacesNaN = replacesNaN
    }
}

/// One step of one sample: what went in, what came out, and what its derivative needs.
struct OracleStep {
    var input: [Double]
    var hiddenBefore: [Double]
    var cellBefore: [Double]
    /// x·Wᵀ + b and h·Uᵀ + q, (G·H) each.
    var inputPart: [Double]
    var hiddenPart: [Double]
    var hidden: [Double] = []
    var cell: [Double] = []
    /// Before projection.
    var unprojected: [Double] = []
    /// Units whose c was clipped.
    var clipped: [Bool] = []

    init(_ parameters: OracleParameters, input: [Double], hidden: [Double], cell: [Double]) {
        self.input = input
        hiddenBefore = hidden
        cellBefore = cell
        inputPart = OracleAlgebra.affine(parameters.inputWeight, input, parameters.inputBias)
        hiddenPart = OracleAlgebra.affine(parameters.hiddenWeight, hidden, parameters.hiddenBias)
    }
}

/// Gradients that one step hands back.
struct OracleStepGradient {
    var input: [Double]
    var hidden: [Double]
    var cell: [Double]

    /// Adds the parameters' share and carries the gradients of both pre-activation halves back to x and h.
    init(
        _ step: OracleStep, inputPart: [Double], hiddenPart: [Double], directHidden: [Double], cell: [Double],
        _ parameters: OracleParameters, into gradients: inout OracleParameters
    ) {
        OracleAlgebra.addOuter(inputPart, step.input, to: &gradients.inputWeight)
        OracleAlgebra.addOuter(hiddenPart, step.hiddenBefore, to: &gradients.hiddenWeight)
        for i in inputPart.indices {
            gradients.inputBias[i] += inputPart[i]
            gradients.hiddenBias[i] += hiddenPart[i]
        }
        input = OracleAlgebra.transposed(parameters.inputWeight, inputPart, columns: step.input.count)
        hidden = OracleAlgebra.transposed(parameters.hiddenWeight, hiddenPart, columns: step.hiddenBefore.count)
        for i in hidden.indices { hidden[i] += directHidden[i] }
        self.cell = cell
    }
}
