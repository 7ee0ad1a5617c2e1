import BatonKernels
import BatonNN
import BatonTensor
import BatonTestSupport

/// A user's cell with a parameter of its own: s_t = d ⊙ s_{t−1} + tanh(x_t·Wᵀ + b), output s_t ⊙ s_{t−1}.
final class LeakyCell: RecurrentCell {
    let dense: Dense
    let decay: Parameter

    init(prefix: String, width: Int = 0, dtype: DType = .float64) {
        var outline = BlockOutline(prefix: prefix, hint: "leaky")
        dense = outline.nameScope {
            Dense(units: 3, activation: .tanh, inUnits: width, dtype: dtype, prefix: "dense_")
        }
        decay = outline.parameter("decay", shape: [3], dtype: dtype, initializer: UniformInitializer(0.9))
        super.init(outline)
        register(child: dense, name: "dense")
    }

    override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo(shape: [batchSize, 3], dtype: dtype)]
    }

    override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let next = context.add(
            context.multiply(context.rows(of: decay), states[0]), dense(input, context))
        return (context.multiply(next, states[0]), [next])
    }
}

/// Every kind of cell and container, in f64, for an input of width 3.
enum CellCase: String, CaseIterable, Sendable {
    case rnn, rnnRelu, rnnClosure, lstm, gru, gruOriginal, lstmp, layerNormLSTM, layerNormGRU, user
    case sequential, hybridSequential, bidirectional, bidirectionalStack, dropout, zoneout, residual
    case residualBidirectional, variational, variationalInputs, deep

    func make(prefix: String = "c_") -> RecurrentCell {
        func lstm(_ size: Int, _ name: String = "lstm_") -> LSTMCell {
            LSTMCell(hiddenSize: size, dtype: .float64, prefix: prefix + name)
        }
        func gru(_ size: Int, _ name: String = "gru_", resetAfter: Bool = true) -> GRUCell {
            GRUCell(hiddenSize: size, resetAfter: resetAfter, dtype: .float64, prefix: prefix + name)
        }
        func rnn(_ size: Int, _ activation: ActivationFunction = .tanh, _ name: String = "rnn_") -> RNNCell {
            RNNCell(hiddenSize: size, activation: activation, dtype: .float64, prefix: prefix + name)
        }
        func dropout(_ name: String = "drop_") -> DropoutCell { DropoutCell(rate: 0.4, prefix: prefix + name) }
        switch self {
        case .rnn: return rnn(4)
        case .rnnRelu: return rnn(4, .relu)
        case .rnnClosure: return rnn(4, ActivationFunction { $1.scale($1.leakyRelu($0, slope: 0.2), by: 0.7) })
        case .lstm: return lstm(4)
        case .gru: return gru(4)
        case .gruOriginal: return gru(4, resetAfter: false)
        case .lstmp:
            return LSTMPCell(hiddenSize: 5, projectionSize: 2, dtype: .float64, prefix: prefix + "lstmp_")
        case .layerNormLSTM: return LayerNormLSTMCell(hiddenSize: 4, dtype: .float64, prefix: prefix + "ln_")
        case .layerNormGRU: return LayerNormGRUCell(hiddenSize: 4, dtype: .float64, prefix: prefix + "ln_")
        case .user: return LeakyCell(prefix: prefix + "leaky_")
        case .sequential: return SequentialRNNCell(prefix: prefix, [lstm(3), gru(5), LeakyCell(prefix: prefix + "k_")])
        case .hybridSequential:
            return HybridSequentialRNNCell(prefix: prefix, [lstm(4), dropout(), lstm(4, "top_")])
        case .bidirectional: return BidirectionalCell(lstm(2), gru(3))
        case .bidirectionalStack:
            return BidirectionalCell(
                HybridSequentialRNNCell(prefix: prefix + "l_", [lstm(2), gru(2)]),
                HybridSequentialRNNCell(prefix: prefix + "r_", [rnn(3), lstm(2, "r_lstm_")]))
        case .dropout: return dropout()
        case .zoneout: return ZoneoutCell(lstm(4), zoneoutOutputs: 0.3, zoneoutStates: 0.4)
        case .residual: return ResidualCell(gru(3))
        case .residualBidirectional: return ResidualCell(BidirectionalCell(rnn(2), gru(1)))
        case .variational:
            return VariationalDropoutCell(lstm(4), dropInputs: 0.3, dropStates: 0.3, dropOutputs: 0.3)
        case .variationalInputs: return VariationalDropoutCell(gru(4), dropInputs: 0.3, dropOutputs: 0.3)
        case .deep:
            return SequentialRNNCell(
                prefix: prefix,
                [
                    lstm(3), ResidualCell(gru(3)), dropout(), BidirectionalCell(lstm(2, "l_"), gru(2, "r_")),
                    ResidualCell(BidirectionalCell(rnn(2, .tanh, "ll_"), rnn(2, .tanh, "rr_"))),
                ])
        }
    }

    /// Whether the cell can be stepped.
    var canBeStepped: Bool {
        switch self {
        case .bidirectional, .bidirectionalStack, .residualBidirectional, .deep: false
        default: true
        }
    }

    /// A cell with random parameters, all of them away from zero.
    func makeInitialized(prefix: String = "c_", seed: UInt64 = 3) -> RecurrentCell {
        let cell = make(prefix: prefix)
        cell.initialize(seed: seed)
        // The first pass completes the shapes.
        _ = cell.unroll(Variable(Tensor(zeros: [1, 1, 3], dtype: .float64)), .inference(rows: 1))
        for parameter in cell.collectParameters() {
            parameter.initialize(overriding: UniformInitializer(0.8), seed: seed)
        }
        return cell
    }
}

/// Random f64 values in [−1, 1).
func randomTensor(_ shape: [Int], seed: UInt64) -> Tensor {
    var random = SeededRandom(seed: seed)
    return Tensor(random.array(shape.reduce(1, *)), shape: shape)
}

/// Random states for a cell.
func randomStates(_ cell: RecurrentCell, batchSize: Int, seed: UInt64, requiresGradient: Bool = false) -> [Variable] {
    cell.stateInfo(batchSize: batchSize).enumerated().map {
        Variable(randomTensor($1.shape, seed: seed + UInt64($0)), requiresGradient: requiresGradient)
    }
}

/// Rows of the leading batch axis or, for a sequence in layout TNC, of the second axis.
func row(_ index: Int, of tensor: Tensor, axis: Int = 0) -> Tensor {
    axis == 0
        ? tensor[leading: index..<index + 1]
        : tensor.withSwappedLeadingAxes()[leading: index..<index + 1].withSwappedLeadingAxes()
}
