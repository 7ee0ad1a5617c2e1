public import BatonData
public import BatonEngine
import BatonFormats
import BatonTensor
import Foundation

/// A training run as one safetensors file: weights under PyTorch's names, optimiser states under
/// `optimizer.STATE.PARAMETER`, recurrent states as `state.hidden` and `state.cell` (L, B, H).
///
/// Metadata: `format` (`baton-checkpoint-1`), `step`, `configuration`, `vocabulary` and `cursor` (JSON), and
/// `content_sha256`, the SHA-256 of all tensors (name, then bytes, in the order of the names) and of the other
/// metadata (key, then value, in the order of the keys). The file is written atomically.
public struct Checkpoint {
    static let format = "baton-checkpoint-1"

    /// State of the training run.
    public var snapshot: TrainingSnapshot
    /// The tokens the model knows.
    public var vocabulary: Vocabulary

    /// A checkpoint of a run with its vocabulary.
    public init(snapshot: TrainingSnapshot, vocabulary: Vocabulary) {
        self.snapshot = snapshot
        self.vocabulary = vocabulary
    }

    /// Writes the file; on failure the old one is intact.
    ///
    /// - Throws: `FormatError` naming the file.
    public func write(to path: String) throws {
        var tensors = NamedTensors(origin: path)
        for (name, tensor) in snapshot.parameters { tensors[name] = tensor }
        for (name, tensor) in snapshot.optimizer { tensors["optimizer." + name] = tensor }
        for (name, tensor) in zip(Self.stateNames, snapshot.states) { tensors[name] = tensor }
        tensors.metadata = [
            "format": Self.format,
            "step": String(snapshot.stepsDone),
            "configuration": try Self.json(snapshot.configuration),
            "vocabulary": try Self.json(vocabulary),
            "cursor": try Self.json(snapshot.cursor),
        ]
        tensors.metadata["content_sha256"] = Self.digest(tensors)
        _ = try SafetensorsWriter.write(tensors, to: path)
    }

    /// Reads a file and checks that its content is what was written.
    ///
    /// - Throws: `FormatError` naming the file and what is wrong with it.
    public init(readingFrom path: String) throws {
        try self.init(SafetensorsReader(path: path).all(), path: path)
    }

    /// Same from the bytes of a file; `path` is for messages.
    public init(bytes: [UInt8], path: String) throws {
        try self.init(SafetensorsReader(bytes: bytes, name: path).all(), path: path)
    }

    private init(_ tensors: NamedTensors, path: String) throws {
        guard tensors.metadata["format"] == Self.format else {
            throw EngineError(
                "\(path) is no checkpoint of Baton: its metadata say format '\(tensors.metadata["format"] ?? "none")' where '\(Self.format)' is expected."
            )
        }
        guard tensors.metadata["content_sha256"] == Self.digest(tensors) else {
            throw EngineError(
                "\(path) is damaged: its content does not have the SHA-256 it was written with; use an earlier checkpoint."
            )
        }
        vocabulary = try Self.decode("vocabulary", tensors, path)
        let configuration: TrainingConfiguration = try Self.decode("configuration", tensors, path)
        let cursor: LaneCursor = try Self.decode("cursor", tensors, path)
        guard let step = tensors.metadata["step"].flatMap({ Int($0) }), step >= 0 else {
            throw EngineError("\(path) is damaged: its metadata name no step.")
        }
        var parameters: [(name: String, tensor: Tensor)] = []
        var optimizer: [(name: String, tensor: Tensor)] = []
        for (name, tensor) in tensors.entries where !Self.stateNames.contains(name) {
            if name.hasPrefix("optimizer.") {
                optimizer.append((String(name.dropFirst("optimizer.".count)), tensor))
            } else {
                parameters.append((name, tensor))
            }
        }
        snapshot = TrainingSnapshot(
            configuration: configuration, stepsDone: step, cursor: cursor, parameters: parameters,
            optimizer: optimizer, states: Self.stateNames.compactMap { tensors[$0] })
    }

    private static let stateNames = ["state.hidden", "state.cell"]

    private static func digest(_ tensors: NamedTensors) -> String {
        var bytes: [UInt8] = []
        for key in tensors.metadata.keys.sorted() where key != "content_sha256" {
            bytes += Array(key.utf8) + [0] + Array((tensors.metadata[key] ?? "").utf8) + [0]
        }
        for (name, tensor) in tensors.entries.sorted(by: { $0.name < $1.name }) {
            let content = UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount)
            bytes += Array(name.utf8) + [0] + Array(SHA256Digest(of: content).description.utf8) + [0]
        }
        return SHA256Digest(of: bytes).description
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func decode<Value: Decodable>(
        _ key: String, _ tensors: NamedTensors, _ path: String
    ) throws -> Value {
        guard let text = tensors.metadata[key] else {
            throw EngineError("\(path) is damaged: its metadata have no \(key).")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw EngineError("\(path) is damaged: its \(key) cannot be read.")
        }
    }
}
