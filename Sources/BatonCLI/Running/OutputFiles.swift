import Baton
import Glibc

/// Arrays on their way to disk: all of them appear under their names, or none.
///
/// Each is written beside its target first; only when all are on the disk are they renamed.
struct OutputFiles {
    private var staged: [(temporary: String, target: String)] = []
    private let suffix = ".\(getpid()).part"

    /// Writes an array beside its target.
    ///
    /// - Throws: `FormatError` when it cannot be written; `CommandFailure` when the target is a folder.
    mutating func stage(_ tensor: Tensor, as target: String) throws {
        var status = stat()
        if stat(target, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR {
            throw CommandFailure("\(target) is a folder where a file is to be written; name a file.")
        }
        staged.append((target + suffix, target))
        try NPYFile.write(tensor, to: target + suffix)
    }

    /// Puts all files in their places.
    ///
    /// - Throws: `CommandFailure` when the system refuses a rename.
    mutating func commit() throws(CommandFailure) {
        while let (temporary, target) = staged.first {
            guard rename(temporary, target) == 0 else {
                throw CommandFailure(
                    "Cannot put \(target) in place: \(String(cString: strerror(errno))); name another file.")
            }
            staged.removeFirst()
        }
    }

    /// Removes what was staged and not committed.
    mutating func discard() {
        for (temporary, _) in staged { unlink(temporary) }
        staged = []
    }
}

/// Makes a folder if there is none; its parent must exist.
///
/// - Throws: `CommandFailure` with the system's reason.
func makeFolder(_ path: String) throws(CommandFailure) {
    guard mkdir(path, 0o777) != 0 else { return }
    let reason = errno
    var status = stat()
    if reason == EEXIST && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR { return }
    throw CommandFailure("Cannot make the folder \(path): \(String(cString: strerror(reason))); name another one.")
}
