import BatonChecks
import BatonEngine
import Foundation

/// The checkpoints of one run, `step-00000120.safetensors` and so on, newest last; older ones are removed.
public struct CheckpointDirectory: Sendable {
    /// The directory.
    public let path: String
    /// How many are kept.
    public let keeps: Int

    /// A directory that keeps so many of the newest checkpoints, at least one. Nothing is made or read yet.
    public init(path: String, keeps: Int = 2) {
        require(keeps >= 1, "CheckpointDirectory: expected to keep at least one, got \(keeps)")
        self.path = path
        self.keeps = keeps
    }

    /// Writes the checkpoint of a step, then removes the oldest beyond `keeps`. Makes the directory, but not the one it is in:
    /// that of a run may have been moved away.
    ///
    /// Files of later steps do not count: they were damaged, or the run would have gone on from them.
    ///
    /// - Throws: `FormatError` or `EngineError` naming the path; the checkpoints there are intact then.
    public func write(_ checkpoint: Checkpoint) throws {
        if mkdir(path, 0o777) != 0 && errno != EEXIST {
            throw EngineError(
                "The directory \(path) cannot be made: \(String(cString: strerror(errno))); choose another place, or change the permissions."
            )
        }
        let step = checkpoint.snapshot.stepsDone
        try checkpoint.write(to: file(step: step))
        for old in steps().filter({ $0 <= step }).dropLast(keeps).map(file) {
            do { try FileManager.default.removeItem(atPath: old) } catch {
                throw EngineError("The old checkpoint \(old) cannot be removed; change its permissions or remove it.")
            }
        }
    }

    /// Paths, oldest first. Files of other names, such as a copy that was put aside, are not the directory's.
    public func files() -> [String] { steps().map(file) }

    /// The steps there are checkpoints of, rising.
    private func steps() -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { name in
            guard let step = Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)), step >= 0,
                name == Self.name(step: step)
            else { return nil }
            return step
        }.sorted()
    }

    /// Refuses a directory that is there and cannot be read: it would look like one without checkpoints.
    ///
    /// - Throws: `EngineError` naming the path and the system's reason.
    public func checkReadable() throws {
        if let listing = opendir(path) {
            closedir(listing)
        } else if errno != ENOENT {
            throw EngineError(
                "Cannot read the directory \(path): \(String(cString: strerror(errno))); change its permissions, or name the directory of a run."
            )
        }
    }

    /// The newest checkpoint whose content is whole and of the step in its name, and its file.
    ///
    /// - Parameter damaged: called with a sentence for every newer file that was passed over.
    /// - Throws: `EngineError` if there is none; it says why the newest cannot be used.
    public func newest(damaged: (String) -> Void) throws -> (file: String, checkpoint: Checkpoint) {
        try checkReadable()
        let all = steps()
        var reasons: [String] = []
        for named in all.reversed() {
            let file = file(step: named)
            do {
                let checkpoint = try Checkpoint(readingFrom: file)
                let step = checkpoint.snapshot.stepsDone
                // A copy under another name would stay the newest for ever, and be gone on from again and again.
                guard step == named else {
                    throw EngineError("\(file) holds step \(step), whose checkpoint has another name; move it away.")
                }
                for reason in reasons { damaged("An earlier checkpoint is used: \(reason)") }
                return (file, checkpoint)
            } catch {
                reasons.append("\(error)")
            }
        }
        guard let first = reasons.first else {
            throw EngineError("\(path) holds no checkpoint; train first, or name the directory of a run.")
        }
        throw EngineError("None of the \(all.count) checkpoints in \(path) can be used; of the newest: \(first)")
    }

    private func file(step: Int) -> String { path + "/" + Self.name(step: step) }

    private static let (prefix, suffix) = ("step-", ".safetensors")

    private static func name(step: Int) -> String {
        let digits = String(step)
        return prefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + suffix
    }
}
