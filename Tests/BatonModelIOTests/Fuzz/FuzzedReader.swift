import BatonFormats
import BatonKernels
import BatonTensor
import BatonTestSupport
import Foundation

@testable import BatonModelIO

/// The readers of files from outside, each with files it accepts and words that mean something in its format.
enum FuzzedReader: String, CaseIterable, Codable, Sendable {
    case safetensors, npy, params, tensorFile, checkpoint, checkpointContent, renaming, symbolGraph, symbolBlock

    /// Reads a file as a user of the reader would, all of it.
    func read(_ bytes: [UInt8]) throws {
        switch self {
        case .safetensors:
            let reader = try SafetensorsReader(bytes: bytes, name: "file")
            for entry in reader.header.entries where entry.dtype.tensorDType != nil {
                _ = try reader.tensor(entry.name)
            }
        case .npy: _ = try NPYFile.read(bytes: bytes, name: "file")
        case .params: _ = try MXNetParamsReader(bytes: bytes, name: "file").all()
        case .tensorFile:
            let file = try TensorFile(bytes: bytes, name: "file")
            for entry in file.entries where entry.tensorDType != nil && entry.shape != nil {
                _ = try file.tensor(entry.name)
            }
        case .checkpoint: _ = try Checkpoint(bytes: bytes, path: "file").makeModel()
        case .checkpointContent:
            // With the digest of what it has become, so that what the digest protects is reached.
            var tensors = try SafetensorsReader(bytes: bytes, name: "file").all()
            tensors.metadata["content_sha256"] = Checkpoint.digest(tensors)
            _ = try Checkpoint(tensors, path: "file").makeModel()
        case .symbolGraph: _ = try SymbolGraph(bytes: bytes, name: "file")
        case .symbolBlock:
            // One file of graph and parameters, cut where the first zero byte is.
            let end = bytes.firstIndex(of: 0) ?? bytes.count
            let graph = try SymbolGraph(bytes: Array(bytes[..<end]), name: "file")
            let parameters = try TensorFile(bytes: Array(bytes[min(end + 1, bytes.count)...]), name: "file").all()
            let block = try SymbolBlock(graph, parameters: parameters)
            block.memoryLimit = 16 << 20
            let inputs = try Self.inputs(block.inputNames.count)
            _ = try block.run(inputs, .inference(rows: 2))
        case .renaming:
            let tensors = try TensorFile(bytes: bytes, name: "file").all()
            for convention in RecurrentTensorName.Convention.allCases {
                _ = try? WeightRenaming(tensors, to: convention)
            }
            let names = try RecurrentWeightNames(tensors.names, origin: "file")
            for kind in RecurrentKind.allCases {
                _ = try? RecurrentStackWeights(tensors, names: names, cell: kind).makeLayer(layout: .TNC)
            }
        }
    }

    func corpus() throws -> [[UInt8]] {
        switch self {
        case .safetensors: try Self.goldens(["safetensors"])
        case .npy: try Self.goldens(["npy"])
        case .params: try Self.goldens(["params"])
        case .tensorFile: try Self.goldens(["params", "safetensors"])
        case .checkpoint, .checkpointContent: [try SmallRun.bytes()]
        case .renaming: try Self.goldens(["params"]) + Self.stacks()
        case .symbolGraph: try Self.goldens(["json"])
        case .symbolBlock: try Self.graphs()
        }
    }

    var words: [[UInt8]] {
        let json = ["{", "}", "[", "]", "\"", "\\u", ",", ":", "-1", "1e9", "9223372036854775807", "null", "\0"]
        let names = ["weight_ih_l0", "_reverse", "i2h_bias", "_unfused.", "l_cell.", "h2r_weight", "_l999999", "arg:"]
        let texts: [String]
        switch self {
        case .safetensors: texts = json + ["F64", "BOOL", "BF16", "shape", "dtype", "data_offsets"]
        case .npy: texts = ["{", "}", "(", ")", "'", ",", "-1", "9223372036854775807", "True", "<f8", "<i4", "|O"]
        case .params, .tensorFile: texts = ["arg:", "aux:", "{\"x\":"]
        case .checkpoint, .checkpointContent:
            texts = json + ["\\\"layers\\\":", "\\\"hidden\\\":", "\\\"batch\\\":", "optimizer.", "state.cell", "F64"]
        case .renaming: texts = json + names
        case .symbolGraph, .symbolBlock:
            texts =
                json + Self.operations + ["\"op\":", "\"inputs\":", "\"heads\":", "\"attrs\":", "\"null\"", "[0,0,0]"]
        }
        let magics: [UInt32] = [0xF993_FAC8, 0xF993_FAC9, 0xF993_FACA]
        return texts.map { Array($0.utf8) }
            + magics.map { magic in (0..<4).map { UInt8(truncatingIfNeeded: magic >> (8 * $0)) } }
    }

    /// The golden files of the formats' own tests.
    private static func goldens(_ endings: [String]) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "BatonFormatsTests/Goldens")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
        return try files.filter { file in endings.contains { file.hasSuffix(".\($0)") } }
            .map { [UInt8](try Data(contentsOf: folder.appending(path: $0))) }
    }

    /// Graphs that MXNet exported, each followed by a zero byte and its parameters.
    private static func graphs() throws -> [[UInt8]] {
        try SymbolBlockTests.names.filter { $0 != "gru64" }.map { name in
            let path = "\(SymbolBlockTests.folder)/\(name)"
            return try [UInt8](Data(contentsOf: URL(filePath: path + "-symbol.json"))) + [0]
                + [UInt8](Data(contentsOf: URL(filePath: path + "-0000.params")))
        }
    }

    /// Inputs of the shapes the graphs take: a sequence, then states or lengths.
    private static func inputs(_ count: Int) throws -> [Variable] {
        switch count {
        case 1: [Variable(Tensor(zeros: [3, 2, 4]))]
        case 2: [Variable(Tensor(zeros: [3, 2, 4])), Variable(Tensor([3, 2] as [Float], shape: [2]))]
        default:
            [
                Variable(Tensor(zeros: [3, 2, 4])), Variable(Tensor(zeros: [4, 2, 5])),
                Variable(Tensor(zeros: [4, 2, 5])),
            ]
        }
    }

    private static let operations = [
        "RNN", "FullyConnected", "SliceChannel", "Reshape", "SwapAxis", "stack", "Concat", "where", "_zeros", "Dropout",
        "SequenceMask", "SequenceLast", "Embedding", "\"axis\"", "\"num_outputs\"", "\"state_size\"", "\"shape\"",
        "\"squeeze_axis\"", "\"flatten\"", "(0, -1)", "True", "False", "2147483647", "-1", "gru",
    ]

    /// Recurrent stacks under PyTorch's names.
    private static func stacks() throws -> [[UInt8]] {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        var tensors = NamedTensors()
        for layer in 0..<2 {
            for way in ["", "_reverse"] {
                tensors["weight_ih_l\(layer)\(way)"] = Tensor(zeros: [8, layer == 0 ? 3 : 4])
                tensors["weight_hh_l\(layer)\(way)"] = Tensor(zeros: [8, 2])
                tensors["bias_ih_l\(layer)\(way)"] = Tensor(zeros: [8])
                tensors["bias_hh_l\(layer)\(way)"] = Tensor(zeros: [8])
            }
        }
        try SafetensorsWriter.write(tensors, to: folder.file("x"))
        return [try folder.content("x")]
    }
}
