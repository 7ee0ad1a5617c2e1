import Baton
import BatonChecks

/// A graph of MXNet run on arrays, forward and, if asked for, backward.
struct GraphPasses {
    /// What is to be written.
    let results: RunResults
    /// What is to be said.
    let report: GraphReport

    /// Reads graph, parameters and arrays, and runs.
    ///
    /// - Throws: `FormatError` when a file is missing or damaged; `ModelIOError` when the graph cannot be run, or not on
    ///   these arrays; `CommandFailure` when it has fewer inputs or results than the options name.
    init(_ options: RunOptions) throws {
        let block = try SymbolBlock.imports(options.symbol ?? "", parameters: options.weights)
        let given = [
            ("input", options.input), ("state", options.state), ("cell_state", options.cellState),
            ("lengths", options.lengths),
        ].compactMap { name, path in path.map { (name: name, path: $0) } }
        guard given.count == block.inputNames.count else {
            throw CommandFailure(
                "The graph has the inputs \(block.inputNames.joined(separator: ", ")), and \(given.count) are given; "
                    + "name a file for each by --input, --state, --cell-state and --lengths.")
        }
        let backward = options.gradOutput != nil
        let tape = backward ? Tape() : nil
        let inputs = try given.map { entry in
            let tensor = try NPYFile.read(path: entry.path)
            return Variable(tensor, requiresGradient: backward && tensor.dtype.isFloatingPoint)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let context = ForwardContext(tape: tape, leaves: .whole(rows: 1))
        let outputs = try block.run(inputs, context)
        let wanted = [
            ("--state-out", options.stateOut), ("--cell-state-out", options.cellStateOut),
            ("--grad-state-out", options.gradStateOut), ("--grad-cell-state-out", options.gradCellStateOut),
        ]
        for (index, (flag, path)) in wanted.enumerated() where path != nil && outputs.count < index % 2 + 2 {
            throw CommandFailure(
                "The graph has \(counted(outputs.count, "result")), too few for \(flag); leave it out.")
        }
        var gradients: [(name: String, gradient: Tensor)] = []
        if let tape {
            var seeds: [(variable: Variable, gradient: Tensor)] = []
            let paths = [options.gradOutput, options.gradStateOut, options.gradCellStateOut]
            for (output, path) in zip(outputs, paths) {
                guard let path else { continue }
                let gradient = try NPYFile.read(path: path)
                guard gradient.shape == output.shape, gradient.dtype == output.dtype else {
                    throw CommandFailure(
                        "\(path) is \(gradient.dtype.rawValue) \(gradient.shape), but the result it belongs to is "
                            + "\(output.dtype.rawValue) \(output.shape); give a gradient of that shape.")
                }
                seeds.append((output, gradient))
            }
            tape.backward(from: seeds)
            for (entry, input) in zip(given, inputs) where input.requiresGradient && entry.name != "lengths" {
                gradients.append((entry.name, input.gradientAccumulator()))
            }
            gradients += block.collectParameters().map { ($0.name, $0.gradients[0]) }
        }
        results = RunResults(
            output: outputs[0].value, states: outputs.dropFirst().map(\.value), gradients: gradients)
        report = GraphReport(
            graph: options.symbol ?? "", nodes: block.graph.nodes.count, inputs: block.inputNames,
            outputShapes: outputs.map(\.shape), dtype: outputs[0].dtype.rawValue,
            kernel: outputs[0].dtype.kernelBackend.rawValue,
            isa: try KernelSelection.current.get().instructionSet.rawValue, gradients: gradients.map(\.name),
            seconds: (clock.now - start) / .seconds(1))
    }
}

/// What `baton run --symbol` says it did.
struct GraphReport: CommandReport {
    let graph: String
    let nodes: Int
    let inputs: [String]
    let outputShapes: [[Int]]
    let dtype: String
    let kernel: String
    let isa: String
    let gradients: [String]
    let seconds: Double

    /// One line for a person.
    var text: String {
        let shapes = outputShapes.map { "\($0)" }.joined(separator: ", ")
        let back = gradients.isEmpty ? "" : ", \(gradients.count) gradients"
        return "\(graph), \(nodes) nodes, \(dtype): \(shapes)\(back), \(fixed(seconds * 1e3, digits: 2)) ms "
            + "(\(kernel) kernels, \(isa))"
    }
}
