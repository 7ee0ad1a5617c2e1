import BatonFormats
import BatonKernels
import BatonNN
import BatonTensor

extension RecurrentLayer {
    /// Adds the layer as one `RNN` node with packed parameters; returns the output and, for given states, the final ones.
    ///
    /// - Throws: `ModelIOError` for a limit of the state and lengths, which MXNet 1.9.1 does not compute
    ///   on the CPU, and for a parameter without values.
    func append(
        to builder: inout SymbolGraphBuilder, _ input: SymbolGraph.Output, states: [SymbolGraph.Output]?
    ) throws -> [SymbolGraph.Output] {
        guard stateClip == nil, !useSequenceLength else {
            throw ModelIOError(
                "\(name) clips its state or takes lengths, which MXNet's RNN operation ignores on the CPU; "
                    + "export it without.")
        }
        let stem = name.isEmpty ? "layer" : name
        let sequence = layout == .NTC ? swapped(&builder, input, "\(stem)_swapaxes0") : input
        let weights = directions.flatMap { direction in
            [direction.inputWeight, direction.hiddenWeight] + [direction.projectionWeight].compactMap { $0 }
        }
        let biases = directions.flatMap { [$0.inputBias, $0.hiddenBias] }
        var flat: [SymbolGraph.Output] = []
        for parameter in weights + biases {
            let variable = try builder.parameter(parameter)
            flat.append(builder.operation("Reshape", "\(stem)_reshape\(flat.count)", ["shape": "-1"], [variable]))
        }
        let packed = builder.operation(
            "_rnn_param_concat", "\(stem)_param_concat", ["dim": "0", "num_args": String(flat.count)], flat)
        let begin =
            states
            ?? stateInfo(batchSize: 0).enumerated().map { index, info in
                builder.operation(
                    "_zeros", "\(stem)_h0_\(index)",
                    [
                        "shape": SymbolGraphBuilder.tuple(info.shape), "dtype": dtype.rawValue, "__layout__": "LNC",
                    ], [])
            }
        let node = builder.operation("RNN", "\(stem)_rnn", attributes, [sequence, packed] + begin).node
        let output = SymbolGraph.Output(node: node)
        let result = layout == .NTC ? swapped(&builder, output, "\(stem)_swapaxes1") : output
        guard let states else { return [result] }
        return [result] + states.indices.map { SymbolGraph.Output(node: node, index: $0 + 1) }
    }

    private var attributes: [String: String] {
        [
            "mode": cell.rawValue, "state_size": String(hiddenSize), "num_layers": String(numLayers),
            "bidirectional": SymbolGraphBuilder.word(bidirectional), "p": String(dropout), "state_outputs": "True",
            "projection_size": projectionSize.map(String.init) ?? "None", "use_sequence_length": "False",
            "lstm_state_clip_min": "None", "lstm_state_clip_max": "None", "lstm_state_clip_nan": "False",
        ]
    }

    private func swapped(
        _ builder: inout SymbolGraphBuilder, _ input: SymbolGraph.Output, _ name: String
    ) -> SymbolGraph.Output {
        builder.operation("SwapAxis", name, ["dim1": "0", "dim2": "1"], [input])
    }
}
