import BatonChecks
public import BatonData
public import BatonEngine
import BatonFormats
import BatonTensor
import Foundation

/// A training run as one safetensors file: weights under PyTorch's names, optimiser states under
/// `optimizer.STATE.PARAMETER`, recurrent states as `state.hidden` and `state.cell` (L, B, H).
///
/// Metadata: `format` (`baton-checkpoint-1`), `step`, `configuration`, `vocabulary`, `text` and `cursor` (JSON), and
/// `content_sha256`, the SHA-256 of all tensors (name, type, shape, then bytes, in the order of the names) and of the
/// other metadata (key, then value, in the order of the keys). The file is written atomically.
public struct Checkpoint {
    static let format = "baton-checkpoint-1"

    /// State of the training run.
    public var snapshot: TrainingSnapshot
    /// The tokens the model knows.
    public var vocabulary: Vocabulary
    /// The text the run is trained on.
    public var text: TrainingText

    /// A checkpoint of a run with its vocabulary and the text it is trained on.
    public init(snapshot: TrainingSnapshot, vocabulary: Vocabulary, text: TrainingText) {
        self.snapshot = snapshot
        self.vocabulary = vocabulary
        self.text = text
    }

    /// Writes the file; on failure the old one is intact.
    ///
    /// - Throws: `FormatError` naming the file.
    public func write(to path: String) throws {
        var tensors = NamedTensors(origin: path)
        for (name, tensor) in snapshot.parameters { tensors[name] = tensor }
        for (name, tensor) in snapshot.optimizer { tensors[Self.optimizerPrefix + name] = tensor }
        for (name, tensor) in zip(Self.stateNames, snapshot.states) { tensors[name] = tensor }
        tensors.metadata = [
            "format": Self.format,
            "step": String(snapshot.stepsDone),
            "configuration": try Self.json(snapshot.configuration),
            "vocabulary": try Self.json(vocabulary),
            "text": try Self.json(text),
            "cursor": try Self.json(snapshot.cursor),
        ]
        tensors.metadata["content_sha256"] = Self.digest(tensors)
        _ = try SafetensorsWriter.write(tensors, to: path)
    }

    /// Reads a file, checks that its content is what was written, and that its tensors are those of its configuration.
    ///
    /// - Throws: `FormatError` or `EngineError` naming the file and what is wrong with it.
    public init(readingFrom path: String) throws {
        try self.init(SafetensorsReader(path: path).all(), path: path)
    }

    /// Same from the bytes of a file; `path` is for messages.
    public init(bytes: [UInt8], path: String) throws {
        try self.init(SafetensorsReader(bytes: bytes, name: path).all(), path: path)
    }

    init(_ tensors: NamedTensors, path: String) throws {
        guard tensors.metadata["format"] == Self.format else {
            throw EngineError(
                "\(path) is no checkpoint of Baton: its metadata say format '\(printable(tensors.metadata["format"] ?? "none"))' where '\(Self.format)' is expected; name the checkpoint of a run."
            )
        }
        guard tensors.metadata["content_sha256"] == Self.digest(tensors) else {
            throw EngineError(
                "\(path) is damaged: its content does not have the SHA-256 it was written with; use an earlier checkpoint."
            )
        }
        vocabulary = try Self.decode("vocabulary", tensors, path)
        text = try Self.decode("text", tensors, path)
        let configuration: TrainingConfiguration = try Self.decode("configuration", tensors, path)
        let cursor: LaneCursor = try Self.decode("cursor", tensors, path)
        let step = tensors.metadata["step"].flatMap { Int($0) } ?? -1
        try Self.check(step: step, cursor: cursor, configuration, vocabulary, path)
        let expectedStates = Self.stateNames.prefix(configuration.model.stateCount)
        let stateShape = [configuration.model.layers, configuration.batch, configuration.model.hidden]
        // Shapes come before any model is built: the figures of the configuration are not to be trusted with memory.
        snapshot = TrainingSnapshot(
            configuration: configuration, stepsDone: step, cursor: cursor,
            parameters: try configuration.model.parameterShapes.map { name, shape in
                (name, try tensors.required(name, shape: shape, dtype: .float32))
            },
            optimizer: tensors.entries.filter { $0.name.hasPrefix(Self.optimizerPrefix) }.map { name, tensor in
                (String(name.dropFirst(Self.optimizerPrefix.count)), tensor)
            },
            states: try expectedStates.map { try tensors.required($0, shape: stateShape, dtype: .float32) })
        let known = snapshot.parameters.count + snapshot.optimizer.count + snapshot.states.count
        guard known == tensors.count else {
            throw EngineError(
                "\(path) holds \(tensors.count) tensors where its configuration has \(known); use an earlier checkpoint."
            )
        }
    }

    /// Throws unless the metadata make sense and agree with each other.
    private static func check(
        step: Int, cursor: LaneCursor, _ configuration: TrainingConfiguration, _ vocabulary: Vocabulary,
        _ path: String
    ) throws(EngineError) {
        do { try configuration.check() } catch { throw EngineError("\(path) is damaged: \(error.message)") }
        guard (0...Int(Int32.max)).contains(step), cursor.epoch >= 0, cursor.window >= 0 else {
            throw EngineError(
                "\(path) is damaged: its metadata name no step, or none that can be; use an earlier checkpoint.")
        }
        guard vocabulary.count == configuration.model.vocabularySize else {
            throw EngineError(
                "\(path) is damaged: its vocabulary has \(vocabulary.count) tokens where its model has \(configuration.model.vocabularySize); use an earlier checkpoint."
            )
        }
    }

    private static let optimizerPrefix = "optimizer."
    private static let stateNames = ["state.hidden", "state.cell"]

    static func digest(_ tensors: NamedTensors) -> String {
        var bytes: [UInt8] = []
        for key in tensors.metadata.keys.sorted() where key != "content_sha256" {
            bytes += Array(key.utf8) + [0] + Array((tensors.metadata[key] ?? "").utf8) + [0]
        }
        for (name, tensor) in tensors.entries.sorted(by: { $0.name < $1.name }) {
            let content = UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount)
            let form = "\(tensor.dtype.rawValue) \(tensor.shape) \(SHA256Digest(of: content))"
            bytes += Array(name.utf8) + [0] + Array(form.utf8) + [0]
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
            throw EngineError("\(path) is damaged: its metadata have no \(key); use an earlier checkpoint.")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw EngineError("\(path) is damaged: its \(key) cannot be read; use an earlier checkpoint.")
        }
    }
}
