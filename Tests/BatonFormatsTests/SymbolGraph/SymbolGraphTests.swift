import BatonFormats
import Foundation
import Testing

@Suite struct SymbolGraphTests {
    /// Parity 4.3's smallest example, exported by MXNet 1.9.1.
    @Test func readsWhatMXNetExported() throws {
        let graph = try SymbolGraph(path: golden("MXNet/gru-symbol.json"))
        let variables = graph.nodes.filter(\.isVariable).map(\.name)
        #expect(
            variables == [
                "data0", "g_l0_i2h_weight", "g_l0_h2h_weight", "g_l0_i2h_bias", "g_l0_h2h_bias", "data1",
            ])
        #expect(graph.nodes.indices.filter { graph.nodes[$0].isVariable } == [0, 1, 3, 5, 7, 10])
        let layer = try #require(graph.nodes.last)
        #expect(layer.operation == "RNN" && layer.attributes["mode"] == "gru" && layer.attributes["state_size"] == "2")
        #expect(layer.inputs.map(\.node) == [0, 9, 10])
        #expect(graph.nodes[1].attributes["__shape__"] == "(6, 1)")
        #expect(graph.nodes[9].operation == "_rnn_param_concat" && graph.nodes[9].attributes["num_args"] == "4")
        #expect(graph.heads == [SymbolGraph.Output(node: 11)])
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var graph = try SymbolGraph(path: golden("MXNet/gru-symbol.json"))
        let parts = graph.append(
            SymbolGraph.Node(
                operation: "SliceChannel", name: "a \"quote\"\n\\ é", attributes: ["num_outputs": "2"],
                inputs: [SymbolGraph.Output(node: 11, index: 1)]))
        graph.heads = [SymbolGraph.Output(node: parts, index: 1), SymbolGraph.Output(node: 0)]
        let text = SymbolGraphWriter.text(graph) { ["RNN": 2, "SliceChannel": 2][$0.operation] ?? 1 }
        #expect(try SymbolGraph(bytes: Array(text.utf8), name: "x") == graph)
        // What the reader passes over is there for MXNet.
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["arg_nodes"] as? [Int] == [0, 1, 3, 5, 7, 10])
        #expect((object?["node_row_ptr"] as? [Int])?.suffix(3) == [11, 13, 15])
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try SymbolGraphWriter.write(graph, to: directory.file("x.json")) { _ in 1 }
        #expect(try SymbolGraph(path: directory.file("x.json")) == graph)
    }

    @Test func oldSpellingsAndUnknownMembersAreRead() throws {
        let text = """
            {"nodes": [
                {"op": "null", "param": {}, "name": "x", "inputs": [], "backward_source_id": -1},
                {"op": "tanh", "name": "t", "attr": {"a": "1"}, "param": {"b": "2"}, "inputs": [[0]]}],
             "heads": [[1, 0]], "more": [{"a": [1, {"b": null}], "c": true}, []], "attrs": {}}
            """
        let graph = try SymbolGraph(bytes: Array(text.utf8), name: "x")
        #expect(graph.nodes[1].attributes == ["a": "1", "b": "2"])
        #expect(graph.nodes[1].inputs == [SymbolGraph.Output(node: 0)])
    }

    private static func file(
        nodes: String = #"{"op":"null","name":"x","inputs":[]}"#, heads: String = "[[0,0,0]]", rest: String = ""
    ) -> [UInt8] { Array("{\"nodes\":[\(nodes)],\"heads\":\(heads)\(rest)}".utf8) }

    static let files: [Malformation] = [
        Malformation("nothing", .notJSON, []),
        Malformation("no JSON", .notJSON, Array("model".utf8)),
        Malformation("not UTF-8", .notJSON, [0x7B, 0xFF, 0x7D]),
        Malformation("a list", .malformedGraph, Array("[]".utf8)),
        Malformation("an empty object", .malformedGraph, Array("{}".utf8)),
        Malformation("text after the end", .notJSON, file() + Array("x".utf8)),
        Malformation("no heads", .malformedGraph, file(heads: "[]")),
        Malformation("a head that is not there", .malformedGraph, file(heads: "[[1,0,0]]")),
        Malformation("a negative head", .malformedGraph, file(heads: "[[-1,0,0]]")),
        Malformation("a fractional head", .malformedGraph, file(heads: "[[0.5,0,0]]")),
        Malformation("a head beyond 63 bits", .malformedGraph, file(heads: "[[0,99999999999999999999,0]]")),
        Malformation("a head of four numbers", .malformedGraph, file(heads: "[[0,0,0,0]]")),
        Malformation("an empty head", .malformedGraph, file(heads: "[[]]")),
        Malformation("nodes twice", .malformedGraph, file(rest: ",\"nodes\":[]")),
        Malformation("a node without name", .malformedGraph, file(nodes: #"{"op":"null","inputs":[]}"#)),
        Malformation("a node without op", .malformedGraph, file(nodes: #"{"name":"x","inputs":[]}"#)),
        Malformation("an op that is a number", .malformedGraph, file(nodes: #"{"op":1,"name":"x","inputs":[]}"#)),
        Malformation(
            "an attribute that is a number", .malformedGraph,
            file(nodes: #"{"op":"null","name":"x","attrs":{"a":1},"inputs":[]}"#)),
        Malformation(
            "an attribute twice", .malformedGraph,
            file(nodes: #"{"op":"null","name":"x","attrs":{"a":"1","a":"2"},"inputs":[]}"#)),
        Malformation(
            "a node that feeds itself", .malformedGraph, file(nodes: #"{"op":"tanh","name":"x","inputs":[[0,0,0]]}"#)),
        Malformation(
            "a variable with inputs", .malformedGraph,
            file(nodes: #"{"op":"null","name":"x","inputs":[]},{"op":"null","name":"y","inputs":[[0,0,0]]}"#)),
        Malformation(
            "two variables of one name", .duplicateName,
            file(nodes: #"{"op":"null","name":"x","inputs":[]},{"op":"null","name":"x","inputs":[]}"#)),
        Malformation(
            "a value that never ends", .notJSON, Array(("{\"x\":" + String(repeating: "[", count: 100_000)).utf8)),
        Malformation("a word that is none", .notJSON, file(rest: ",\"x\":nul")),
    ]

    @Test(arguments: files) func isRefused(_ file: Malformation) {
        file.expectRefusal { bytes, name throws(FormatError) in _ = try SymbolGraph(bytes: bytes, name: name) }
    }

    @Test func theFileWithoutTheLieIsRead() throws {
        #expect(try SymbolGraph(bytes: Self.file(rest: ",\"x\":null"), name: "x").nodes.count == 1)
    }
}
