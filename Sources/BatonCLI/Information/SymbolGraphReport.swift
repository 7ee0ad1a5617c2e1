import Baton
import BatonChecks

/// What `baton inspect` says about a graph of MXNet: its inputs and parameters, and how often it uses which operation.
struct SymbolGraphReport: CommandReport {
    let file: String
    let format = "symbol"
    let nodes: Int
    /// Variables in the order of the graph, with the shapes it notes.
    let variables: [Variable]
    /// Nodes by operation.
    let operations: [String: Int]
    /// Number of results.
    let results: Int

    struct Variable: Encodable {
        let name: String
        let shape: String?
    }

    /// Reads a graph.
    ///
    /// - Throws: `FormatError` when the file is none.
    init(path: String) throws {
        let graph = try SymbolGraph(path: path)
        file = path
        nodes = graph.nodes.count
        results = graph.heads.count
        variables = graph.nodes.filter(\.isVariable).map { Variable(name: $0.name, shape: $0.attributes["__shape__"]) }
        operations = graph.nodes.filter { !$0.isVariable }.reduce(into: [:]) { $0[$1.operation, default: 0] += 1 }
    }

    /// Lines for a person.
    var text: String {
        let head = "\(file): symbol, \(counted(nodes, "node")), \(counted(results, "result"))"
        let width = variables.map { terminalText($0.name).count }.max() ?? 0
        let table = variables.map { variable in
            let name = terminalText(variable.name)
            guard let shape = variable.shape else { return name }
            return name + String(repeating: " ", count: width - name.count + 2) + terminalText(shape)
        }
        let uses = operations.sorted { $0.key < $1.key }.map { "  \(terminalText($0.key)): \($0.value)" }
        return ([head] + table + (uses.isEmpty ? [] : ["operations:"] + uses)).joined(separator: "\n")
    }
}

/// Text out of a file, in full.
func terminalText(_ text: String) -> String { printable(text, limit: .max) }
