/// Writes symbol JSON as MXNet 1.9.1 reads it.
public enum SymbolGraphWriter {
    /// Writes a graph, atomically.
    ///
    /// - Parameter outputCount: how many outputs a node has.
    /// - Returns: the SHA-256 of the file.
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`); an older file of that name is then intact.
    @discardableResult
    public static func write(
        _ graph: SymbolGraph, to path: String, outputCount: (SymbolGraph.Node) -> Int
    ) throws(FormatError) -> SHA256Digest {
        var file = try AtomicFile(path: path)
        try file.write([UInt8](text(graph, outputCount: outputCount).utf8))
        return try file.commit()
    }

    /// The JSON text of a graph.
    public static func text(_ graph: SymbolGraph, outputCount: (SymbolGraph.Node) -> Int) -> String {
        let nodes = graph.nodes.map { node in
            let attributes = node.attributes.sorted { $0.key < $1.key }
                .map { "\(quoteJSON($0.key)): \(quoteJSON($0.value))" }
            let members = [
                "\"op\": \(quoteJSON(node.operation))", "\"name\": \(quoteJSON(node.name))",
                attributes.isEmpty ? nil : "\"attrs\": {\(attributes.joined(separator: ", "))}",
                "\"inputs\": \(references(node.inputs))",
            ]
            return "    {\(members.compactMap { $0 }.joined(separator: ", "))}"
        }
        let variables = graph.nodes.indices.filter { graph.nodes[$0].isVariable }
        let rows = graph.nodes.reduce(into: [0]) { $0.append($0[$0.count - 1] + outputCount($1)) }
        return """
            {
              "nodes": [
            \(nodes.joined(separator: ",\n"))
              ],
              "arg_nodes": [\(variables.map(String.init).joined(separator: ", "))],
              "node_row_ptr": [\(rows.map(String.init).joined(separator: ", "))],
              "heads": \(references(graph.heads)),
              "attrs": {"mxnet_version": ["int", 10901]}
            }

            """
    }

    private static func references(_ outputs: [SymbolGraph.Output]) -> String {
        "[\(outputs.map { "[\($0.node), \($0.index), 0]" }.joined(separator: ", "))]"
    }
}
