import BatonFormats
import BatonNN
import BatonTensor

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
}
