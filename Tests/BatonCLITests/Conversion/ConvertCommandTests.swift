import Baton
import Foundation
import Testing

/// `baton convert`, and `run` and `inspect` on MXNet's files.
@Suite struct ConvertCommandTests {
    private func seeded(_ shape: [Int], _ seed: Int) -> Tensor {
        Tensor((0..<shape.reduce(1, *)).map { Float(sin(Double($0 * 7 + seed * 13))) }, shape: shape)
    }

    /// A bidirectional GRU of two layers as PyTorch names it, with a tensor of another kind.
    private func gru(biases: Bool = true) -> NamedTensors {
        var tensors = NamedTensors(metadata: ["made": "here"])
        tensors["embed.weight"] = seeded([5, 3], 99)
        for layer in 0..<2 {
            for way in ["", "_reverse"] {
                let stem = "l\(layer)\(way)"
                tensors["gru.weight_ih_\(stem)"] = seeded([12, layer == 0 ? 3 : 8], layer + way.count)
                tensors["gru.weight_hh_\(stem)"] = seeded([12, 4], layer + way.count + 3)
                if biases {
                    tensors["gru.bias_ih_\(stem)"] = seeded([12], layer + way.count + 5)
                    tensors["gru.bias_hh_\(stem)"] = seeded([12], layer + way.count + 6)
                }
            }
        }
        return tensors
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test func whatIsReadIsNotReplaced() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let input = folder.file("net-0000.params")
        try MXNetParamsWriter.write(gru(), to: input)
        let original = try bytes(input)
        let graph = folder.file("net-symbol.json")
        for command in [[input, input], [input, graph, "--kind", "gru"]] {
            let result = try BatonProcess(["convert"] + command)
            #expect(result.status == 2 && result.error.contains("\(input) would replace \(input)"), "\(result.error)")
        }
        #expect(try bytes(input) == original)
        #expect(!FileManager.default.fileExists(atPath: graph))
    }

    @Test func thereAndBackGivesTheSameFileAndTheSameOutput() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let original = folder.file("a.safetensors")
        var tensors = gru()
        tensors.metadata = [:]
        try SafetensorsWriter.write(tensors, to: original)
        try NPYFile.write(seeded([3, 2, 3], 1), to: folder.file("x.npy"))
        var outputs: [Data] = []
        func run(_ weights: String) throws {
            let result = try BatonProcess([
                "run", "--weights", weights, "--kind", "gru", "--input", folder.file("x.npy"), "--output",
                folder.file("y.npy"),
            ])
            #expect(result.status == 0, "\(result.error)")
            outputs.append(try bytes(folder.file("y.npy")))
        }
        try run(original)
        for names in ["gluon-block", "gluon", "kept", "pytorch"] {
            let (there, back) = (folder.file("\(names).params"), folder.file("\(names).safetensors"))
            let first = try BatonProcess(["convert", original, there, "--names", names])
            #expect(first.status == 0, "\(first.error)")
            try run(there)
            let second = try BatonProcess(["convert", there, back, "--json"])
            #expect(second.status == 0, "\(second.error)")
            #expect(try second.json()["tensors"] as? Int == 17)
            #expect(try bytes(back) == bytes(original), "\(names)")
        }
        #expect(Set(outputs).count == 1)
    }

    @Test func theEndingChoosesFormatAndNames() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try SafetensorsWriter.write(gru(biases: false), to: folder.file("a.safetensors"))
        let run = try BatonProcess(["convert", folder.file("a.safetensors"), folder.file("b.params")])
        #expect(run.status == 0, "\(run.error)")
        for words in ["params, 17 tensors", "8 renamed (gluon-block)", "8 biases of zeros", "1 entries of metadata"] {
            #expect(run.output.contains(words), "\(words): \(run.output)")
        }
        let inspect = try BatonProcess(["inspect", folder.file("b.params")])
        for words in ["params, 17 tensors", "gru._unfused.1.r_cell.h2h_bias", "float32", "[12]", "embed.weight"] {
            #expect(inspect.output.contains(words), "\(words): \(inspect.output)")
        }
        try (bytes(folder.file("b.params")) + Data([1, 2, 3])).write(
            to: URL(fileURLWithPath: folder.file("c.params")))
        #expect(try BatonProcess(["inspect", folder.file("c.params")]).output.contains("3 bytes after the end"))
        let report = try BatonProcess(["inspect", "--json", folder.file("c.params")]).json()
        #expect(report["trailing_bytes"] as? Int == 3 && report["format"] as? String == "params")
    }

    @Test func wrongUsageAndDamagedFilesLeaveNothing() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try SafetensorsWriter.write(gru(), to: folder.file("a.safetensors"))
        let input = folder.file("a.safetensors")
        for arguments in [
            [input, folder.file("b.onnx")], [input], [input, folder.file("b.params"), "--names", "keras"],
            [input, folder.file("b.params"), "--names", "kept", "--prefix", "x."],
        ] {
            #expect(try BatonProcess(["convert"] + arguments).status == 2, "\(arguments)")
        }
        var scalar = NamedTensors()
        scalar["s"] = Tensor([1] as [Float], shape: [])
        try SafetensorsWriter.write(scalar, to: folder.file("s.safetensors"))
        for (file, words) in [("s.safetensors", "scalar"), ("absent", "absent")] {
            let run = try BatonProcess(["convert", folder.file(file), folder.file("b.params")])
            #expect(run.status == 1 && run.error.contains(words), "\(run.error)")
        }
        #expect(try folder.names() == ["a.safetensors", "s.safetensors"])
    }
}
