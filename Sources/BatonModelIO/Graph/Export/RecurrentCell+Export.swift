import BatonChecks
import BatonFormats
public import BatonNN
public import BatonTensor

extension RecurrentCell {
    /// Writes the cell, unrolled over a number of steps, as MXNet's `HybridBlock.export` does: `<path>-symbol.json` and
    /// `<path>-<epoch>.params`. Input `data`, with lengths `data0` and `data1`; result the merged output.
    ///
    /// Cells: `RNNCell`, `LSTMCell`, `GRUCell` (reset after the product), `LSTMPCell`, `SequentialRNNCell`,
    /// `BidirectionalCell`, `ResidualCell`, `DropoutCell`, and `ZoneoutCell` and `VariationalDropoutCell` as they are at
    /// inference, their bases. States begin with zeros.
    ///
    /// - Parameters:
    ///   - steps: T, fixed in the graph.
    ///   - layout: of input and output.
    ///   - withLengths: makes lengths (N) the second input.
    /// - Returns: the paths of both files.
    /// - Throws: `ModelIOError` naming a cell that has no form in a graph, or a parameter without values; `FormatError`
    ///   when a file cannot be written.
    /// - Source: Gluon `RecurrentCell.unroll`, `HybridBlock.export` (parity 1.4.2, 4.3).
    @discardableResult
    public func exportUnrolled(
        to path: String, steps: Int, layout: SequenceLayout = .NTC, withLengths: Bool = false, epoch: Int = 0
    ) throws -> (symbol: String, parameters: String) {
        guard steps >= 1 else {
            throw ModelIOError("\(name) cannot be unrolled over \(steps) steps; take one or more.")
        }
        var builder = SymbolGraphBuilder(origin: path)
        let data = builder.input(withLengths ? "data0" : "data")
        let lengths = withLengths ? builder.input("data1") : nil
        let axis = layout == .TNC ? "0" : "1"
        var unroller = CellUnroller(builder: builder, lengths: lengths)
        let outputs = try unroller.unroll(
            self, unroller.split(data, into: steps, axis: axis, name: "\(name)_split"))
        builder = unroller.builder
        let merged = builder.operation(
            "stack", "\(name)_stack", ["axis": axis, "num_args": String(steps)], outputs)
        var head = merged
        if let lengths {
            head = builder.operation(
                "SequenceMask", "\(name)_mask", ["axis": axis, "use_sequence_length": "True"], [merged, lengths])
        }
        builder.finish([head])
        return try builder.write(to: path, epoch: epoch)
    }
}

/// Adds the steps of cells to a graph.
struct CellUnroller {
    typealias Output = SymbolGraph.Output

    var builder: SymbolGraphBuilder
    /// λ of every row; nil is all steps.
    let lengths: Output?

    /// The steps of a sequence along an axis.
    mutating func split(_ input: Output, into steps: Int, axis: String, name: String) -> [Output] {
        let node = builder.operation(
            "SliceChannel", name, ["num_outputs": String(steps), "axis": axis, "squeeze_axis": "True"], [input]
        ).node
        return (0..<steps).map { Output(node: node, index: $0) }
    }

    /// The outputs of a cell for the steps of its input, from states of zeros.
    mutating func unroll(_ cell: RecurrentCell, _ inputs: [Output]) throws -> [Output] {
        switch cell {
        case let stack as SequentialRNNCell:
            var steps = inputs
            for member in stack.cells { steps = try unroll(member, steps) }
            return steps
        case let both as BidirectionalCell: return try unroll(both, inputs)
        case let residual as ResidualCell:
            let outputs = try unroll(residual.baseCell, inputs)
            return zip(inputs, outputs).map { input, output in
                builder.operation("elemwise_add", "\(cell.name)_plus", [:], [output, input])
            }
        case let dropout as DropoutCell:
            return inputs.map { input in
                builder.operation(
                    "Dropout", "\(cell.name)_fwd",
                    ["p": String(dropout.rate), "axes": SymbolGraphBuilder.tuple(dropout.axes)], [input])
            }
        case let zoneout as ZoneoutCell: return try unroll(zoneout.baseCell, inputs)
        case let variational as VariationalDropoutCell: return try unroll(variational.baseCell, inputs)
        case let plain as PlainCell:
            var states = plain.stateInfo(batchSize: 0).enumerated().map { index, info in
                builder.operation(
                    "_zeros", "\(cell.name)_begin_state_\(index)",
                    [
                        "shape": SymbolGraphBuilder.tuple(info.shape), "dtype": info.dtype.rawValue,
                        "__layout__": "NC",
                    ], [])
            }
            var outputs: [Output] = []
            for (time, input) in inputs.enumerated() {
                states = try step(plain, input, states, "\(plain.prefix)t\(time)_")
                outputs.append(states[0])
            }
            return outputs
        default:
            throw ModelIOError(
                "\(cell.name), a \(type(of: cell)), has no form in MXNet's graph; export plain cells, and stacks, both "
                    + "directions, residuals, all sorts of dropout and zoneout of them.")
        }
    }

    /// The right cell reads the steps backwards; with lengths only the valid ones are reversed.
    private mutating func unroll(_ cell: BidirectionalCell, _ inputs: [Output]) throws -> [Output] {
        let left = try unroll(cell.leftCell, inputs)
        let right = reversed(try unroll(cell.rightCell, reversed(inputs, "\(cell.name)_in")), "\(cell.name)_out")
        return zip(left, right).map { left, right in
            builder.operation("Concat", "\(cell.name)_concat", ["dim": "1", "num_args": "2"], [left, right])
        }
    }

    private mutating func reversed(_ steps: [Output], _ name: String) -> [Output] {
        guard let lengths else { return steps.reversed() }
        let count = String(steps.count)
        let stacked = builder.operation("stack", "\(name)_stack", ["axis": "0", "num_args": count], steps)
        let turned = builder.operation(
            "SequenceReverse", "\(name)_reverse", ["use_sequence_length": "True"], [stacked, lengths])
        return split(turned, into: steps.count, axis: "0", name: "\(name)_split")
    }

    /// The states after one step; the first is the output.
    private mutating func step(
        _ cell: PlainCell, _ input: Output, _ states: [Output], _ stem: String
    ) throws -> [Output] {
        let rows = cell.i2hWeight.shape[0]
        func product(_ name: String, _ x: Output, _ weight: Parameter, _ bias: Parameter?) throws -> Output {
            let parameters = try [weight, bias].compactMap { $0 }.map { try builder.parameter($0) }
            return builder.operation(
                "FullyConnected", stem + name,
                [
                    "num_hidden": String(weight.shape[0]), "flatten": "True",
                    "no_bias": SymbolGraphBuilder.word(bias == nil),
                ], [x] + parameters)
        }
        func pointwise(_ operation: String, _ name: String, _ inputs: Output...) -> Output {
            builder.operation(operation, stem + name, [:], inputs)
        }
        func activation(_ function: String, _ name: String, _ x: Output) throws -> Output {
            guard ["tanh", "relu", "sigmoid", "softsign", "softrelu"].contains(function) else {
                throw ModelIOError(
                    "\(cell.name) uses the function \(function), which MXNet's graph has not; use tanh, relu, sigmoid, "
                        + "softsign or softrelu.")
            }
            return builder.operation("Activation", stem + name, ["act_type": function], [x])
        }
        func gates(_ name: String, _ x: Output, _ count: Int) -> [Output] {
            let node = builder.operation(
                "SliceChannel", stem + name, ["num_outputs": String(count), "axis": "1"], [x]
            ).node
            return (0..<count).map { Output(node: node, index: $0) }
        }
        require(rows > 0, "\(cell.name): no gates")
        let fromInput = try product("i2h", input, cell.i2hWeight, cell.i2hBias)
        let fromState = try product("h2h", states[0], cell.h2hWeight, cell.h2hBias)
        if let gru = cell as? GRUCell {
            guard gru.resetAfter else {
                throw ModelIOError(
                    "\(cell.name) resets before the product, which MXNet's cells do not; export the usual form.")
            }
            let (x, h) = (gates("i2h_slice", fromInput, 3), gates("h2h_slice", fromState, 3))
            let reset = try activation("sigmoid", "r", pointwise("elemwise_add", "r_sum", x[0], h[0]))
            let update = try activation("sigmoid", "z", pointwise("elemwise_add", "z_sum", x[1], h[1]))
            let gated = pointwise("elemwise_mul", "n_reset", reset, h[2])
            let candidate = try activation("tanh", "n", pointwise("elemwise_add", "n_sum", x[2], gated))
            let rest = pointwise("elemwise_sub", "rest", pointwise("ones_like", "ones", update), update)
            return [
                pointwise(
                    "elemwise_add", "out", pointwise("elemwise_mul", "new", rest, candidate),
                    pointwise("elemwise_mul", "old", update, states[0]))
            ]
        }
        let sum = pointwise("elemwise_add", "sum", fromInput, fromState)
        if let rnn = cell as? RNNCell { return [try activation(rnn.activation.name, "out", sum)] }
        let lstm = cell as? LSTMCell
        let (squash, gate) = (lstm?.activation.name ?? "tanh", lstm?.recurrentActivation.name ?? "sigmoid")
        let parts = gates("slice", sum, 4)
        let (i, f) = (try activation(gate, "i", parts[0]), try activation(gate, "f", parts[1]))
        let (g, o) = (try activation(squash, "g", parts[2]), try activation(gate, "o", parts[3]))
        let state = pointwise(
            "elemwise_add", "state", pointwise("elemwise_mul", "kept", f, states[1]),
            pointwise("elemwise_mul", "added", i, g))
        let hidden = pointwise("elemwise_mul", "out", o, try activation(squash, "squashed", state))
        guard let projected = cell as? LSTMPCell else { return [hidden, state] }
        return [try product("h2r", hidden, projected.h2rWeight, nil), state]
    }
}
