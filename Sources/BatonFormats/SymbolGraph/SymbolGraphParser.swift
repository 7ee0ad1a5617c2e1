/// Turns MXNet's symbol JSON into a graph, strictly.
struct SymbolGraphParser {
    static let remedy = "the file is damaged or no graph of MXNet, so copy or export it again"

    private let file: String
    private var scanner: JSONScanner

    init(file: String, text: [UInt8]) {
        self.file = file
        scanner = JSONScanner(
            validUTF8: text, subject: file, mismatchCode: .malformedGraph,
            context: JSONScanner.Context(grammarCode: .notJSON, text: "text", remedy: Self.remedy))
    }

    /// The whole text.
    mutating func parse() throws(FormatError) -> SymbolGraph {
        var graph = SymbolGraph()
        var heads: [SymbolGraph.Output] = []
        var members: Set<String> = []
        try scanner.beginObject()
        while let member = try scanner.nextKey(isFirst: members.isEmpty) {
            try take(member, &members, of: "the graph")
            switch member {
            case "nodes": graph = try nodes()
            case "heads": heads = try outputs()
            // The graph says the same by its nodes: positions of variables, numbers of outputs; and the version.
            default: try scanner.skipValue()
            }
        }
        guard scanner.isAtEnd() else { throw scanner.grammarError() }
        guard members.contains("nodes"), !heads.isEmpty else { throw malformed("has no nodes or no heads") }
        for head in heads where head.node >= graph.nodes.count {
            throw malformed("has the head \(head.node) among \(graph.nodes.count) nodes")
        }
        graph.heads = heads
        return graph
    }

    private mutating func nodes() throws(FormatError) -> SymbolGraph {
        var graph = SymbolGraph()
        var variables: Set<String> = []
        try scanner.beginArray()
        while try scanner.hasElement(isFirst: graph.nodes.isEmpty) {
            let node = try node(number: graph.nodes.count)
            for input in node.inputs where input.node >= graph.nodes.count {
                throw malformed(
                    "has the input \(input.node) at node \(graph.nodes.count), which does not come before it")
            }
            if node.isVariable {
                guard node.inputs.isEmpty else {
                    throw malformed("has inputs at the variable \(FormatError.quote(node.name))")
                }
                guard variables.insert(node.name).inserted else {
                    throw FormatError(
                        .duplicateName,
                        "\(file) has two variables \(FormatError.quote(node.name)); export it with unique names.")
                }
            }
            graph.append(node)
        }
        return graph
    }

    private mutating func node(number: Int) throws(FormatError) -> SymbolGraph.Node {
        var operation: String?
        var name: String?
        var attributes: [String: String] = [:]
        var inputs: [SymbolGraph.Output] = []
        var members: Set<String> = []
        try scanner.beginObject()
        while let member = try scanner.nextKey(isFirst: members.isEmpty) {
            try take(member, &members, of: "node \(number)")
            switch member {
            case "op": operation = try scanner.string()
            case "name": name = try scanner.string()
            // Three spellings from three ages of MXNet; old files have two of them.
            case "attrs", "attr", "param": try attributes.merge(strings()) { _, new in new }
            case "inputs": inputs = try outputs()
            default: try scanner.skipValue()
            }
        }
        guard let operation, let name else { throw malformed("has no op or no name at node \(number)") }
        return SymbolGraph.Node(operation: operation, name: name, attributes: attributes, inputs: inputs)
    }

    private mutating func strings() throws(FormatError) -> [String: String] {
        var result: [String: String] = [:]
        try scanner.beginObject()
        while let key = try scanner.nextKey(isFirst: result.isEmpty) {
            let value = try scanner.string()
            guard result.updateValue(value, forKey: key) == nil else {
                throw malformed("has the attribute \(FormatError.quote(key)) twice at one node")
            }
        }
        return result
    }

    /// `[[node, output, version], …]`; the version, and in old files the output, may be absent.
    private mutating func outputs() throws(FormatError) -> [SymbolGraph.Output] {
        var result: [SymbolGraph.Output] = []
        try scanner.beginArray()
        while try scanner.hasElement(isFirst: result.isEmpty) {
            var numbers: [Int] = []
            try scanner.beginArray()
            while try scanner.hasElement(isFirst: numbers.isEmpty) {
                let spelled = try scanner.number()
                guard numbers.count < 3, let number = Int(spelled), number >= 0, number <= Int(Int32.max) else {
                    throw malformed(
                        "has \(FormatError.quote(spelled)) where the number of a node or output is expected")
                }
                numbers.append(number)
            }
            guard let node = numbers.first else { throw malformed("has an empty reference to a node") }
            result.append(SymbolGraph.Output(node: node, index: numbers.count > 1 ? numbers[1] : 0))
        }
        return result
    }

    private func take(_ member: String, _ members: inout Set<String>, of place: String) throws(FormatError) {
        guard members.insert(member).inserted else {
            throw malformed("has \(FormatError.quote(member)) twice in \(place)")
        }
    }

    private func malformed(_ finding: String) -> FormatError {
        FormatError(.malformedGraph, "\(file) \(finding); \(Self.remedy).")
    }
}
