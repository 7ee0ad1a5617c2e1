import BatonFormats
import BatonTensor

/// A graph under construction, with the values of its parameters.
struct SymbolGraphBuilder {
    private(set) var graph = SymbolGraph()
    /// By name with MXNet's prefix `arg:`, in the order of the graph.
    private(set) var parameters: NamedTensors
    private var variables: [ObjectIdentifier: SymbolGraph.Output] = [:]
    private var names: Set<String> = []

    init(origin: String) { parameters = NamedTensors(origin: origin) }

    /// Sets the results.
    mutating func finish(_ heads: [SymbolGraph.Output]) { graph.heads = heads }

    /// An input.
    mutating func input(_ name: String) -> SymbolGraph.Output {
        names.insert(name)
        return SymbolGraph.Output(
            node: graph.append(SymbolGraph.Node(operation: SymbolGraph.variableOperation, name: name)))
    }

    /// A parameter; the same node for the same parameter.
    ///
    /// - Throws: `ModelIOError` when it has no values, or another one has its name.
    mutating func parameter(_ parameter: Parameter) throws(ModelIOError) -> SymbolGraph.Output {
        if let known = variables[ObjectIdentifier(parameter)] { return known }
        guard parameter.isInitialized else {
            throw ModelIOError(
                "Parameter \(parameter.name) has no values; initialize the block and run it once, so that all shapes "
                    + "are known.")
        }
        guard names.insert(parameter.name).inserted else {
            throw ModelIOError(
                "Two parameters are named \(parameter.name), which a graph cannot tell apart; give their blocks other "
                    + "prefixes.")
        }
        let node = graph.append(
            SymbolGraph.Node(
                operation: SymbolGraph.variableOperation, name: parameter.name,
                attributes: [
                    "__shape__": Self.tuple(parameter.shape), "__dtype__": parameter.dtype == .float32 ? "0" : "1",
                    "__lr_mult__": "1.0", "__wd_mult__": "1.0", "__storage_type__": "0",
                ]))
        let output = SymbolGraph.Output(node: node)
        variables[ObjectIdentifier(parameter)] = output
        parameters["arg:" + parameter.name] = parameter.data
        return output
    }

    /// An operation; a number is added to a name that is taken.
    mutating func operation(
        _ operation: String, _ name: String, _ attributes: [String: String] = [:], _ inputs: [SymbolGraph.Output]
    ) -> SymbolGraph.Output {
        var unique = name
        var number = 1
        while !names.insert(unique).inserted {
            unique = "\(name)_\(number)"
            number += 1
        }
        return SymbolGraph.Output(
            node: graph.append(
                SymbolGraph.Node(operation: operation, name: unique, attributes: attributes, inputs: inputs)))
    }

    /// Writes the graph and its parameters; returns the paths.
    func write(to path: String, epoch: Int) throws(FormatError) -> SymbolGraphFiles {
        let files = SymbolGraphFiles(path: path, epoch: epoch)
        try MXNetParamsWriter.write(parameters, to: files.parameters)
        try SymbolGraphWriter.write(graph, to: files.symbol, outputCount: Self.outputCount)
        return files
    }

    /// `(3, 4)`, `(3,)`, as Python prints a tuple.
    static func tuple(_ sizes: [Int]) -> String {
        "(\(sizes.map(String.init).joined(separator: ", "))\(sizes.count == 1 ? "," : ""))"
    }

    /// `True` or `False`.
    static func word(_ value: Bool) -> String { value ? "True" : "False" }

    /// How many outputs a node has that a builder made.
    static func outputCount(_ node: SymbolGraph.Node) -> Int {
        switch node.operation {
        case "RNN" where node.attributes["state_outputs"] == "True": node.attributes["mode"] == "lstm" ? 3 : 2
        case "SliceChannel": node.attributes["num_outputs"].flatMap { Int($0) } ?? 1
        default: 1
        }
    }
}
