import Baton

/// A stack of cells to be measured, and the fused layer that computes the same, if one does.
struct CellNetwork {
    /// As the table names it.
    let name: String
    let cells: RecurrentCell
    /// Shares the parameters of the cells.
    let layer: RecurrentLayer?

    /// Stacks that a layer equals, which `hybridize` lets run as one.
    static func fusible(input: Int, hidden: Int) throws -> [CellNetwork] {
        let layers: [(String, RecurrentLayer)] = [
            ("LSTM", LSTM(hiddenSize: hidden, inputSize: input)),
            ("GRU", GRU(hiddenSize: hidden, inputSize: input)),
            ("RNN tanh", RNN(hiddenSize: hidden, activation: .tanh, inputSize: input)),
            ("LSTM projected", LSTM(hiddenSize: hidden, inputSize: input, projectionSize: max(1, hidden / 2))),
            ("LSTM, 2 layers", LSTM(hiddenSize: hidden, numLayers: 2, inputSize: input)),
            ("LSTM, bidirectional", LSTM(hiddenSize: hidden, bidirectional: true, inputSize: input)),
        ]
        return try layers.map { name, layer in
            CellNetwork(name: name, cells: try layer.unfuse(), layer: layer)
        }
    }

    /// Stacks that keep their single steps.
    static func stepped(input: Int, hidden: Int) -> [CellNetwork] {
        let cells: [(String, RecurrentCell)] = [
            ("Zoneout of LSTM", ZoneoutCell(LSTMCell(hiddenSize: hidden, inputSize: input), zoneoutStates: 0.1)),
            ("Variational GRU", VariationalDropoutCell(GRUCell(hiddenSize: hidden, inputSize: input), dropStates: 0.1)),
            ("Layer-norm LSTM", LayerNormLSTMCell(hiddenSize: hidden, inputSize: input)),
            ("GRU, original", GRUCell(hiddenSize: hidden, inputSize: input, resetAfter: false)),
            ("RNN sigmoid", RNNCell(hiddenSize: hidden, activation: .sigmoid, inputSize: input)),
            (
                "LSTM, dropout, residual GRU",
                HybridSequentialRNNCell([
                    LSTMCell(hiddenSize: hidden, inputSize: input), DropoutCell(rate: 0.2),
                    ResidualCell(GRUCell(hiddenSize: hidden, inputSize: hidden)),
                ])
            ),
        ]
        return cells.map { CellNetwork(name: $0, cells: $1, layer: nil) }
    }
}
