import BatonEngine
import Foundation

/// The checkpoints of one run, `step-00000120.safetensors` and so on, newest last; older ones are removed.
public struct CheckpointDirectory: Sendable {
    /// The directory.
    public let path: String
    /// How many are kept.
    public let keeps: Int

    /// A directory that keeps so many of the newest checkpoints.
    public init(path: String, keeps: Int = 2) {
        precondition(keeps >= 1, "CheckpointDirectory: expected to keep at least one, got \(keeps)")
        self.path = path
        self.keeps = keeps
    }

    /// Writes the checkpoint of a step, then removes the oldest beyond `keeps`.
    public func write(_ checkpoint: Checkpoint) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try checkpoint.write(to: path + "/" + Self.name(step: checkpoint.snapshot.stepsDone))
        for old in files().dropLast(keeps) { try FileManager.default.removeItem(atPath: old) }
    }

    /// Paths, oldest first.
    public func files() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasPrefix("step-") && $0.hasSuffix(".safetensors") }.sorted().map { path + "/" + $0 }
    }

    /// The newest checkpoint whose content is whole.
    ///
    /// - Parameter damaged: called with a sentence for every newer file that cannot be used.
    /// - Throws: `EngineError` if there is none.
    public func newest(damaged: (String) -> Void) throws -> Checkpoint {
        let all = files()
        for file in all.reversed() {
            do {
                return try Checkpoint(readingFrom: file)
            } catch {
                damaged("\(error)")
            }
        }
        throw EngineError(
            all.isEmpty
                ? "\(path) holds no checkpoint; train first, or name the directory that --out named."
                : "\(path) holds \(all.count) checkpoint files, none of which can be used.")
    }

    private static func name(step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".safetensors"
    }
}
