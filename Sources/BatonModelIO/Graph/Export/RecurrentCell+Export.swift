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
    ) throws -> SymbolGraphFiles {
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
