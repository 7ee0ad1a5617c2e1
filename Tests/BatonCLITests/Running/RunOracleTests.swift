import Baton
import BatonTestSupport
import Testing

/// `baton run` on shapes of every kind, against the oracle.
@Suite struct RunOracleTests {
    struct Case: Sendable, CustomStringConvertible {
        var cell: OracleCell
        var layers: Int
        var directions: Int
        var steps: Int
        var batch: Int
        var input: Int
        var hidden: Int
        var dtype = DType.float32
        var axes = SequenceLayout.TNC
        var style = NameStyle.pyTorch
        var hasBiases = true
        var hasStates = true
        var hasStateGradients = true
        /// Of an LSTM.
        var projection: Int?
        var clip: OracleClip?
        var lengths: [Int]?
        var outputSize: Int { projection ?? hidden }

        var description: String {
            "\(cell) L\(layers) D\(directions) T\(steps) N\(batch) C\(input) H\(hidden) \(dtype) \(axes) \(style)"
        }
    }

    /// The ways to name weights.
    enum NameStyle: Sendable {
        case pyTorch, pyTorchPrefixed, gluon, gluonPrefixed, gluonUnfused

        /// Name of a parameter; `role` is 0 for the input weight, then hidden weight, input bias, hidden bias, projection.
        func name(layer: Int, direction: Int, directions: Int, role: Int) -> String {
            let gluon = ["i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias", "h2r_weight"][role]
            let torch = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"][role]
            let side = direction == 0 ? "l" : "r"
            switch self {
            case .pyTorch: return "\(torch)_l\(layer)\(direction == 0 ? "" : "_reverse")"
            case .pyTorchPrefixed: return "encoder.lstm.\(torch)_l\(layer)\(direction == 0 ? "" : "_reverse")"
            case .gluon: return "\(side)\(layer)_\(gluon)"
            case .gluonPrefixed: return "lstm0_\(side)\(layer)_\(gluon)"
            case .gluonUnfused: return "_unfused.\(layer).\(directions == 1 ? "" : "\(side)_cell.")\(gluon)"
            }
        }
    }

    static let cases = [
        Case(cell: .lstm, layers: 2, directions: 2, steps: 5, batch: 3, input: 7, hidden: 19, axes: .NTC),
        Case(cell: .lstm, layers: 1, directions: 1, steps: 1, batch: 1, input: 1, hidden: 1, style: .gluon),
        Case(
            cell: .gru, layers: 3, directions: 1, steps: 9, batch: 17, input: 4, hidden: 33, style: .gluonUnfused,
            hasStates: false),
        Case(
            cell: .gru, layers: 2, directions: 2, steps: 4, batch: 2, input: 3, hidden: 5, dtype: .float64, axes: .NTC,
            style: .gluonUnfused),
        Case(
            cell: .rnnTanh, layers: 2, directions: 2, steps: 6, batch: 33, input: 2, hidden: 16, style: .gluonPrefixed,
            hasStateGradients: false),
        Case(
            cell: .rnnRelu, layers: 1, directions: 2, steps: 7, batch: 5, input: 20, hidden: 3, style: .pyTorchPrefixed,
            hasBiases: false),
        Case(
            cell: .lstm, layers: 4, directions: 1, steps: 3, batch: 4, input: 6, hidden: 10, dtype: .float64,
            hasBiases: false, hasStates: false, hasStateGradients: false),
        Case(
            cell: .lstm, layers: 2, directions: 2, steps: 6, batch: 13, input: 5, hidden: 18, axes: .NTC, projection: 7,
            clip: OracleClip(lower: -0.125, upper: 0.25), lengths: [6, 0, 3, 1, 6, 2, 5, 4, 1, 1, 6, 2, 3]),
        Case(
            cell: .lstm, layers: 2, directions: 1, steps: 4, batch: 3, input: 5, hidden: 6, dtype: .float64,
            style: .gluonPrefixed, hasBiases: false, projection: 9, lengths: [4, 1, 2]),
        Case(
            cell: .lstm, layers: 1, directions: 2, steps: 5, batch: 2, input: 3, hidden: 4, style: .gluonUnfused,
            hasStates: false, projection: 3, clip: OracleClip(lower: -0.0625, upper: 0.0625, replacesNaN: true)),
        Case(
            cell: .gru, layers: 2, directions: 2, steps: 5, batch: 4, input: 3, hidden: 17, axes: .NTC,
            hasStates: false, lengths: [2, 5, 0, 3]),
        Case(
            cell: .rnnTanh, layers: 12, directions: 1, steps: 3, batch: 3, input: 3, hidden: 5, dtype: .float64,
            style: .gluonUnfused, lengths: [1, 0, 3]),
        Case(
            cell: .rnnRelu, layers: 1, directions: 2, steps: 4, batch: 14, input: 3, hidden: 20,
            lengths: Array(repeating: 2, count: 14)),
    ]

    @Test(arguments: cases)
    func forwardAndBackwardMatchTheOracle(shape: Case) throws {
        var random = SeededRandom(seed: 11)
        var stack = OracleStack.random(
            shape.cell, layers: shape.layers, directions: shape.directions, inputSize: shape.input,
            hidden: shape.hidden, projection: shape.projection, clip: shape.clip, using: &random)
        if !shape.hasBiases { stack.clearBiases() }
        stack.round(to: shape.dtype)
        let arrays = RunOracleArrays(shape, using: &random)
        let folder = try RunFolder(dtype: shape.dtype)
        defer { folder.remove() }
        let arguments = try arrays.write(shape, stack, into: folder)
        let expected = arrays.results(shape, stack)
        for environment in shape.dtype == .float64 ? [[:]] : kernelEnvironments {
            let run = try BatonProcess(arguments, environment: environment)
            #expect(run.status == 0, "\(run.error)")
            let written = try TemporaryFolder.names(folder.path("g")).map { "g/\($0)" }
            #expect(Set(written) == Set(expected.map(\.file).filter { $0.hasPrefix("g/") }))
            for (file, values, tensorShape) in expected {
                // T steps of I + H products in each layer.
                let depth = shape.layers * shape.steps * (max(shape.input, 2 * shape.outputSize) + 2 * shape.hidden)
                let violation = try folder.violation(
                    file, values, tensorShape,
                    tolerance: Tolerance.relative(
                        epsilon: shape.dtype == .float64 ? .ulpOfOne : Double(Float.ulpOfOne), depth: depth,
                        backward: file.hasPrefix("g/")))
                #expect(violation == nil, "\(shape) \(environment)")
            }
        }
    }
}

extension OracleStack {
    /// Sets all biases to zero.
    mutating func clearBiases() {
        for layer in layers.indices {
            for direction in layers[layer].indices {
                let zeros = layers[layer][direction].parameters.zeros()
                layers[layer][direction].parameters.inputBias = zeros.inputBias
                layers[layer][direction].parameters.hiddenBias = zeros.hiddenBias
            }
        }
    }

    /// Rounds the parameters to values of the type, so that the oracle sees what the file holds.
    mutating func round(to dtype: DType) {
        for layer in layers.indices {
            for direction in layers[layer].indices {
                let exact = layers[layer][direction].parameters
                layers[layer][direction].parameters = exact.map { dtype == .float64 ? $0 : Double(Float($0)) }
            }
        }
    }
}

extension [Double] {
    /// The nearest values of the type.
    func rounded(to dtype: DType) -> [Double] { dtype == .float64 ? self : map { Double(Float($0)) } }
}
