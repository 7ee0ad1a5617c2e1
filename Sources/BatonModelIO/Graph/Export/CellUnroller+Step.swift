import BatonFormats
import BatonNN
import BatonTensor

extension CellUnroller {
    /// The states after one step; the first is the output.
    ///
    /// - Parameter stem: what the names of the step's nodes begin with.
    mutating func step(
        _ cell: PlainCell, _ input: Output, _ states: [Output], _ stem: String
    ) throws -> [Output] {
        let fromInput = try product(stem + "i2h", input, cell.i2hWeight, cell.i2hBias)
        let fromState = try product(stem + "h2h", states[0], cell.h2hWeight, cell.h2hBias)
        if let gru = cell as? GRUCell { return [try gruState(of: gru, fromInput, fromState, states[0], stem)] }
        let sum = pointwise("elemwise_add", stem + "sum", fromInput, fromState)
        if let rnn = cell as? RNNCell { return [try activation(rnn.activation.name, stem + "out", sum, of: cell)] }
        return try lstmStates(of: cell, sum, states[1], stem)
    }

    private mutating func gruState(
        of cell: GRUCell, _ fromInput: Output, _ fromState: Output, _ last: Output, _ stem: String
    ) throws -> Output {
        guard cell.resetAfter else {
            throw ModelIOError(
                "\(cell.name) resets before the product, which MXNet's cells do not; export the usual form.")
        }
        let (x, h) = (gates(stem + "i2h_slice", fromInput, 3), gates(stem + "h2h_slice", fromState, 3))
        let reset = try activation(
            "sigmoid", stem + "r", pointwise("elemwise_add", stem + "r_sum", x[0], h[0]), of: cell)
        let update = try activation(
            "sigmoid", stem + "z", pointwise("elemwise_add", stem + "z_sum", x[1], h[1]), of: cell)
        let gated = pointwise("elemwise_mul", stem + "n_reset", reset, h[2])
        let candidate = try activation(
            "tanh", stem + "n", pointwise("elemwise_add", stem + "n_sum", x[2], gated), of: cell)
        let ones = pointwise("ones_like", stem + "ones", update)
        let rest = pointwise("elemwise_sub", stem + "rest", ones, update)
        let new = pointwise("elemwise_mul", stem + "new", rest, candidate)
        let old = pointwise("elemwise_mul", stem + "old", update, last)
        return pointwise("elemwise_add", stem + "out", new, old)
    }

    private mutating func lstmStates(
        of cell: PlainCell, _ sum: Output, _ last: Output, _ stem: String
    ) throws -> [Output] {
        let lstm = cell as? LSTMCell
        let (squash, gate) = (lstm?.activation.name ?? "tanh", lstm?.recurrentActivation.name ?? "sigmoid")
        let parts = gates(stem + "slice", sum, 4)
        let i = try activation(gate, stem + "i", parts[0], of: cell)
        let f = try activation(gate, stem + "f", parts[1], of: cell)
        let g = try activation(squash, stem + "g", parts[2], of: cell)
        let o = try activation(gate, stem + "o", parts[3], of: cell)
        let kept = pointwise("elemwise_mul", stem + "kept", f, last)
        let added = pointwise("elemwise_mul", stem + "added", i, g)
        let state = pointwise("elemwise_add", stem + "state", kept, added)
        let squashed = try activation(squash, stem + "squashed", state, of: cell)
        let hidden = pointwise("elemwise_mul", stem + "out", o, squashed)
        guard let projected = cell as? LSTMPCell else { return [hidden, state] }
        return [try product(stem + "h2r", hidden, projected.h2rWeight, nil), state]
    }

    private mutating func product(
        _ name: String, _ x: Output, _ weight: Parameter, _ bias: Parameter?
    ) throws -> Output {
        let parameters = try [weight, bias].compactMap { $0 }.map { try builder.parameter($0) }
        return builder.operation(
            "FullyConnected", name,
            [
                "num_hidden": String(weight.shape[0]), "flatten": "True",
                "no_bias": SymbolGraphBuilder.word(bias == nil),
            ], [x] + parameters)
    }

    private mutating func pointwise(_ operation: String, _ name: String, _ inputs: Output...) -> Output {
        builder.operation(operation, name, [:], inputs)
    }

    private mutating func activation(
        _ function: String, _ name: String, _ x: Output, of cell: PlainCell
    ) throws -> Output {
        guard ["tanh", "relu", "sigmoid", "softsign", "softrelu"].contains(function) else {
            throw ModelIOError(
                "\(cell.name) uses the function \(function), which MXNet's graph has not; use tanh, relu, sigmoid, "
                    + "softsign or softrelu.")
        }
        return builder.operation("Activation", name, ["act_type": function], [x])
    }

    private mutating func gates(_ name: String, _ x: Output, _ count: Int) -> [Output] {
        let node = builder.operation("SliceChannel", name, ["num_outputs": String(count), "axis": "1"], [x]).node
        return (0..<count).map { Output(node: node, index: $0) }
    }
}
