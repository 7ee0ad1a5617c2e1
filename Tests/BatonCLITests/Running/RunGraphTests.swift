import Baton
import Foundation
import BatonTestSupport
import Testing

/// `baton run --symbol` on graphs MXNet 1.9.1 exported, and `baton convert` to graphs.
@Suite struct RunGraphTests {
    private let goldens = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "BatonModelIOTests/Goldens").path

    private func arrays(_ name: String, _ folder: TemporaryFolder) throws -> NamedTensors {
        let tensors = try TensorFile(path: "\(goldens)/\(name)-arrays.params").all()
        for (key, tensor) in tensors.entries { try NPYFile.write(tensor, to: folder.file("\(key).npy")) }
        return tensors
    }

    private func run(_ name: String, _ folder: TemporaryFolder, _ arguments: [String]) throws -> BatonProcess {
        try BatonProcess(
            [
                "run", "--symbol", "\(goldens)/\(name)-symbol.json", "--weights", "\(goldens)/\(name)-0000.params",
                "--input", folder.file("in0.npy"), "--output", folder.file("y.npy"), "--json",
            ] + arguments)
    }

    private func error(_ path: String, _ expected: Tensor?) throws -> Double {
        let (actual, expected) = (try NPYFile.read(path: path).doubles(), try #require(expected).doubles())
        try #require(actual.count == expected.count)
        return Tolerance.relativeError(actual, expected, scale: 1)
    }

    @Test func statesAndLengthsAreTheFurtherInputs() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let lstm = try arrays("lstm", folder)
        let states = ["--state", folder.file("in1.npy"), "--cell-state", folder.file("in2.npy")]
        let first = try run("lstm", folder, states + ["--cell-state-out", folder.file("c.npy")])
        #expect(first.status == 0, "\(first.error)")
        // Magnitudes below 1, some hundred products in float32, rounded in both libraries.
        #expect(try error(folder.file("y.npy"), lstm["out0"]) < 1e-6)
        #expect(try error(folder.file("c.npy"), lstm["out2"]) < 1e-6)
        #expect(try first.json()["inputs"] as? [String] == ["data0", "data1", "data2"])
        let valid = try arrays("valid", folder)
        let second = try run("valid", folder, ["--lengths", folder.file("in1.npy")])
        #expect(second.status == 0, "\(second.error)")
        #expect(try error(folder.file("y.npy"), valid["out0"]) < 1e-6)
    }

    @Test func gradientsAreWrittenByTheNamesInTheGraph() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let tensors = try arrays("gru64", folder)
        let shape = try #require(tensors["out0"]).shape
        try NPYFile.write(Tensor(repeating: 1.0, shape: shape), to: folder.file("dy.npy"))
        let result = try run(
            "gru64", folder,
            ["--state", folder.file("in1.npy"), "--grad-output", folder.file("dy.npy"), "--grad-dir", folder.file("g")])
        #expect(result.status == 0, "\(result.error)")
        let names = try TemporaryFolder.names(folder.file("g"))
        #expect(names.contains("input.npy") && names.contains("state.npy") && names.count == 10)
        #expect(names.contains { $0.hasSuffix("l1_h2h_bias.npy") })
    }

    @Test func wrongInputsAndFlagsAreRefused() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        _ = try arrays("lstm", folder)
        let few = try run("lstm", folder, [])
        #expect(few.status == 1 && few.error.contains("data0, data1, data2") && few.error.contains("1 are given"))
        for arguments in [["--kind", "lstm"], ["--axes", "NTC"], ["--clip-min", "0", "--clip-max", "1"]] {
            #expect(try run("lstm", folder, arguments).status == 2, "\(arguments)")
        }
        _ = try arrays("rnncell", folder)
        let many = try run("rnncell", folder, ["--state-out", folder.file("h.npy")])
        #expect(many.status == 1 && many.error.contains("--state-out"), "\(many.error)")
        #expect(try !folder.names().contains("y.npy"))
    }

    @Test func inspectListsVariablesAndOperations() throws {
        let run = try BatonProcess(["inspect", "\(goldens)/lstm-symbol.json"])
        #expect(run.status == 0, "\(run.error)")
        for words in ["symbol, 37 nodes, 3 results", "data0", "l1_h2h_bias", "(20,)", "Reshape: 16", "RNN: 1"] {
            #expect(run.output.contains(words), "\(words): \(run.output)")
        }
        let report = try BatonProcess(["inspect", "--json", "\(goldens)/lstm-symbol.json"]).json()
        #expect(report["nodes"] as? Int == 37 && (report["operations"] as? [String: Int])?["RNN"] == 1)
        #expect(try BatonProcess(["inspect", "\(goldens)/lstm-0000.params.json"]).status == 1)
    }

    @Test func weightsBecomeAGraphThatRunsAlike() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var tensors = NamedTensors()
        for (name, shape) in [
            ("weight_ih_l0", [16, 3]), ("weight_hh_l0", [16, 4]), ("bias_ih_l0", [16]), ("bias_hh_l0", [16]),
        ] {
            let count = shape.reduce(1, *)
            tensors[name] = Tensor((0..<count).map { Float(sin(Double($0 * 7 + name.count))) }, shape: shape)
        }
        try SafetensorsWriter.write(tensors, to: folder.file("w.safetensors"))
        try NPYFile.write(Tensor((0..<24).map { Float(cos(Double($0))) }, shape: [4, 2, 3]), to: folder.file("x.npy"))
        let graph = try BatonProcess([
            "convert", folder.file("w.safetensors"), folder.file("net-symbol.json"), "--kind", "lstm", "--axes", "NTC",
        ])
        #expect(graph.status == 0, "\(graph.error)")
        let input = ["--input", folder.file("x.npy"), "--output"]
        let stack = try BatonProcess(
            ["run", "--weights", folder.file("w.safetensors"), "--kind", "lstm", "--axes", "NTC"] + input
                + [folder.file("a.npy")])
        let run = try BatonProcess(
            ["run", "--weights", folder.file("net-0000.params"), "--symbol", folder.file("net-symbol.json")] + input
                + [folder.file("b.npy")])
        #expect(stack.status == 0 && run.status == 0, "\(stack.error) \(run.error)")
        #expect(
            try Data(contentsOf: URL(filePath: folder.file("a.npy")))
                == Data(contentsOf: URL(filePath: folder.file("b.npy"))))
        for arguments in [[], ["--kind", "lstm", "--names", "gluon"]] {
            #expect(
                try BatonProcess(
                    ["convert", folder.file("w.safetensors"), folder.file("x-symbol.json")] + arguments
                ).status == 2)
        }
    }
}
