import ArgumentParser
import Baton
import FoundationEssentials
import Glibc

/// Arrays on their way to disk: none appears under its name unless all could be written.
///
/// Each is written beside its target first; only when all are on the disk are they renamed, one by one.
struct OutputFiles {
    private var staged: [Staged] = []
    /// Folders made for the files, the innermost first.
    private var newFolders: [String] = []

    /// A file beside its target; dropped without a commit, it is removed.
    private final class Staged {
        let target: String
        private var file: AtomicFile?

        /// - Throws: `FormatError` when the array cannot be written.
        init(_ tensor: Tensor, as target: String) throws(FormatError) {
            self.target = target
            var file = try AtomicFile(path: target)
            try NPYFile.write(tensor, into: &file)
            try file.flush()
            self.file = consume file
        }

        func commit() throws(FormatError) {
            guard let file = file.take() else { return }
            try file.commit()
        }
    }

    /// Writes an array beside its target.
    ///
    /// - Throws: `CommandFailure` when there is no such folder, or something else than a file bears the name;
    ///   `ValidationError` when another array goes to the same file, under whatever name; `FormatError` when the array
    ///   cannot be written.
    mutating func stage(_ tensor: Tensor, as path: String) throws {
        let target = try OutputFiles.target(path)
        guard !staged.contains(where: { $0.target == target }) else {
            throw ValidationError("Two results would go to the file \(path); name a file for each.")
        }
        staged.append(try Staged(tensor, as: target))
    }

    /// Makes a folder, and those above it, if there is none.
    ///
    /// - Throws: `CommandFailure` when that cannot be done.
    mutating func makeFolder(_ path: String) throws(CommandFailure) {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder else { throw CommandFailure("\(path) is a file where a folder is to be; name another one.") }
            return
        }
        var missing = Substring(path)
        while !missing.isEmpty && access(String(missing), F_OK) != 0 {
            newFolders.append(String(missing))
            missing = missing.lastIndex(of: "/").map { missing[..<$0] } ?? ""
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("The folder \(path) cannot be made; check the folders above it, or name another one.")
        }
    }

    /// Puts all files in their places.
    ///
    /// - Throws: `FormatError` when the system refuses a rename.
    mutating func commit() throws(FormatError) {
        while let file = staged.first {
            try file.commit()
            staged.removeFirst()
            newFolders = []
        }
    }

    /// Removes what was staged and not committed.
    mutating func discard() {
        staged = []
        for folder in newFolders { rmdir(folder) }
        newFolders = []
    }

    /// The file to replace: links are followed, also those of folders, and only a regular file may be there.
    static func target(_ path: String) throws(CommandFailure) -> String {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CommandFailure("\(path) is no regular file, and only such are replaced; name another file.")
            }
            return try resolved(path)
        }
        let path = AtomicFile.linkTarget(of: path)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        guard !name.isEmpty else {
            throw CommandFailure("'\(path)' does not end in the name of a file; name a file to write.")
        }
        guard name.utf8.count <= Int(NAME_MAX) else {
            throw CommandFailure(
                "The name of the file \(path) has \(name.utf8.count) bytes, more than the \(NAME_MAX) that a name may have; choose a shorter one."
            )
        }
        guard access(folder, W_OK) == 0 else {
            throw CommandFailure(
                "Cannot write \(path): \(String(cString: strerror(errno))); name a file in a folder that is there.")
        }
        return try resolved(folder) + "/" + name
    }

    private static func resolved(_ path: String) throws(CommandFailure) -> String {
        guard let resolved = realpath(path, nil) else {
            throw CommandFailure("Cannot follow \(path): \(String(cString: strerror(errno))); name another file.")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
