import Baton
import BatonChecks
import FoundationEssentials
import Glibc

/// An append-only CSV file with one row per step, whose first column is the step.
///
/// A row reaches the file by one `write` call, so that a process killed at any moment leaves at most one torn row, the
/// last. Resuming at a step removes that row and all rows of later steps, which the resumed run writes again.
struct StepLog: ~Copyable {
    let path: String
    private let descriptor: Int32

    /// Opens the log of a run that starts (`resumedStep` nil: an older file is replaced) or goes on after a step.
    ///
    /// - Throws: `CommandFailure` when an existing file has another header, `FormatError` or `CommandFailure` when the
    ///   file cannot be read or written.
    init(path: String, header: String, resumedStep: Int?) throws {
        var kept = header + "\n"
        if let resumedStep {
            for row in try StepLog.rows(path: path, header: header, through: resumedStep) where row.step <= resumedStep
            {
                kept += row.text + "\n"
            }
        }
        try AtomicFile.write(kept, to: path)
        let opened = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard opened >= 0 else { throw StepLog.failure("open", path) }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// Appends one row; `text` has no line break.
    func append(_ text: String) throws(CommandFailure) {
        let line = Array((text + "\n").utf8)
        var done = 0
        while done < line.count {
            let written = line.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            }
            if written >= 0 {
                done += written
            } else if errno != EINTR {
                throw StepLog.failure("write", path)
            }
        }
    }

    /// Flushes to the disk what has been appended, so that a checkpoint written next never runs ahead of the log.
    func flush() throws(CommandFailure) {
        guard fsync(descriptor) == 0 else { throw StepLog.failure("flush", path) }
    }

    /// Whether the file is still the one under its name.
    var isInPlace: Bool { FileIdentity(path) == FileIdentity(descriptor: descriptor) }

    /// The complete rows of a file, in file order; none when there is no file.
    ///
    /// A last line without a line break is a torn row and left out.
    ///
    /// - Parameter last: a step after whose row nothing counts: what a power cut has made of the rest is left out.
    static func rows(path: String, header: String, through last: Int? = nil) throws -> [(step: Int, text: String)] {
        guard access(path, F_OK) == 0 else { return [] }
        let content: Data
        do { content = try Data(contentsOf: URL(filePath: path)) } catch {
            throw CommandFailure("Cannot read \(path); check its permissions, or move the file away.")
        }
        var lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        lines.removeLast()
        guard lines.first == header else {
            throw CommandFailure(
                "\(path) starts with '\(printable(lines.first ?? ""))' where '\(header)' is expected; "
                    + "move the file away or name another run directory.")
        }
        var rows: [(step: Int, text: String)] = []
        for (index, line) in lines.enumerated().dropFirst() {
            guard let step = line.split(separator: ",").first.flatMap({ Int($0) }) else {
                if let last, rows.contains(where: { $0.step >= last }) { break }
                throw CommandFailure(
                    "\(path), line \(index + 1): '\(printable(line))' does not start with a step number; "
                        + "restore the file or move it away.")
            }
            rows.append((step, line))
        }
        return rows
    }

    private static func failure(_ action: String, _ path: String) -> CommandFailure {
        CommandFailure(
            "Cannot \(action) \(path): \(String(cString: strerror(errno))); check the run directory and its free space."
        )
    }
}
