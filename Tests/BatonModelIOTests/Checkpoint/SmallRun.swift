import BatonComm
import BatonData
import BatonEngine
import BatonFormats
import BatonKernels
import BatonNN
import BatonTensor
import Foundation

@testable import BatonModelIO

/// A small run whose checkpoints the tests write and spoil. Its text has characters that JSON has to escape and two
/// that Unicode regards as equal.
enum SmallRun {
    static let text = String(repeating: "e\u{301}\u{E9}\u{212B}\u{C5}\r\n\0\"\\/\u{2028}\u{1F600} ab", count: 20)
    static let identity = TrainingText(
        digest: SHA256Digest(of: Array(text.utf8)).description, validationFraction: 0.1)

    static func corpus() throws -> TextCorpus {
        try TextCorpus(text: text, tokenization: .characters, validationFraction: identity.validationFraction)
    }

    static func trainer(_ cell: RecurrentKind) throws -> LanguageModelTrainer {
        let corpus = try corpus()
        let configuration = TrainingConfiguration(
            model: try LanguageModelConfiguration(
                cell: cell, vocabularySize: corpus.vocabulary.count, embedding: 3, hidden: 5, layers: 2, dropout: 0.1),
            batch: 5, stepsPerWindow: 4, totalSteps: 20, optimizer: .adam, learningRate: 0.1 + 0.2,
            schedule: .linear(finalFraction: 0.1), weightDecay: 0, momentum: 0, clip: 1, seed: .max,
            leafCount: LeafPlan.leafCount(rows: 5))
        return try LanguageModelTrainer(configuration, tokens: corpus.training, communicator: SelfCommunicator())
    }

    /// After so many steps.
    static func checkpoint(_ cell: RecurrentKind = .lstm, steps: Int = 3) throws -> Checkpoint {
        let trainer = try trainer(cell)
        for _ in 0..<steps { _ = try trainer.step() }
        return Checkpoint(snapshot: try trainer.snapshot(), vocabulary: try corpus().vocabulary, text: identity)
    }

    /// A checkpoint as a file's bytes.
    static func bytes() throws -> [UInt8] {
        let folder = try CheckpointFolder()
        defer { folder.remove() }
        try checkpoint().write(to: folder.file("x"))
        return try folder.content("x")
    }

    /// Continues from a checkpoint: the bits of losses and the hash of the parameters of the next steps.
    static func advance(_ trainer: LanguageModelTrainer, steps: Int) throws -> [[UInt64]] {
        try (0..<steps).map { _ in
            let metrics = try trainer.step()
            return [metrics.loss.bitPattern, metrics.gradientNorm.bitPattern, metrics.parameterHash ?? 0]
        }
    }
}

/// A new folder, removed with everything in it by `remove()`.
struct CheckpointFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "baton-checkpoints-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    func content(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: file(name))))
    }

    func put(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: URL(filePath: file(name))) }
}
