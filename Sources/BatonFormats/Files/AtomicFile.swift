import Crypto
import Glibc

/// A file that appears under its name complete, or not at all.
///
/// Bytes go to a temporary file in the same directory; `commit()` flushes it to the disk, renames it over the target
/// and flushes the directory. Whatever fails before the rename (a full disk, an error thrown by the caller, SIGKILL)
/// leaves the old file as it was. A value that is dropped without `commit()` removes its temporary file; one left by a
/// killed process is removed by the next writer of the same target.
///
/// ```swift
/// var file = try AtomicFile(path: "weights.safetensors")
/// try file.write(header)
/// try file.write(UnsafeRawBufferPointer(start: tensor.rawPointer, count: tensor.byteCount))
/// let digest = try file.commit()
/// ```
///
/// A symbolic link is followed: the file it points to is replaced, or made, and the link stays. A file that replaces
/// another has its permissions.
///
/// - Source: POSIX.1-2017 `rename`, `fsync`.
public struct AtomicFile: ~Copyable {
    /// The name given by the caller.
    public let path: String
    /// The file that is replaced: `path` with symbolic links resolved.
    let target: String
    let temporaryPath: String
    private let descriptor: Int32
    private var hash = SHA256()
    private var isRenamed = false

    /// Opens the temporary file.
    ///
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`) when the directory is missing or read-only, or when
    ///   `path` names a directory, pipe or device.
    public init(path: String) throws(FormatError) {
        let target = try Self.resolveTarget(of: path)
        Self.removeLeftovers(of: target)
        let temporary = try Self.openTemporary(beside: target, for: path)
        self.path = path
        self.target = target
        temporaryPath = temporary.path
        descriptor = temporary.descriptor
    }

    deinit {
        if !isRenamed { unlink(temporaryPath) }
        close(descriptor)
    }

    /// Appends bytes.
    ///
    /// - Throws: `FormatError` (`writeFailed`), for instance when the disk is full.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        guard let start = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(descriptor, start + done, bytes.count - done)
            if written >= 0 {
                done += written
            } else if errno != EINTR {
                throw failure("Cannot write", errno)
            }
        }
        hash.update(bufferPointer: bytes)
    }

    /// Appends bytes.
    ///
    /// - Throws: `FormatError` (`writeFailed`), for instance when the disk is full.
    public mutating func write(_ bytes: [UInt8]) throws(FormatError) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        try write(UnsafeRawBufferPointer(memory))
    }

    /// Flushes what was written to the disk, so that `commit` has only to put it in its place.
    ///
    /// - Throws: `FormatError` (`writeFailed`).
    public func flush() throws(FormatError) {
        guard fsync(descriptor) == 0 else { throw failure("Cannot flush", errno) }
    }

    /// Puts the file in its place; when this returns, a power cut does not take it away again.
    ///
    /// - Returns: the SHA-256 of everything written.
    /// - Throws: `FormatError` (`writeFailed`). The old file is intact, except when the very last step, the flush of
    ///   the directory, failed: then the new file is in place, complete, but may not survive a power cut.
    @discardableResult
    public consuming func commit() throws(FormatError) -> SHA256Digest {
        try flush()
        // Renamed while open: closing gives up the lock that keeps others from removing the temporary file.
        guard rename(temporaryPath, target) == 0 else { throw failure("Cannot put in place", errno) }
        isRenamed = true
        try flushDirectory()
        return SHA256Digest(hash.finalize())
    }

    /// Writes a file that is a text.
    ///
    /// - Throws: `FormatError` (`writeFailed`, `notARegularFile`); an older file of that name is then intact.
    public static func write(_ text: String, to path: String) throws(FormatError) {
        var file = try AtomicFile(path: path)
        try file.write(Array(text.utf8))
        try file.commit()
    }

    private borrowing func flushDirectory() throws(FormatError) {
        let directory = open(Self.directory(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("Cannot flush the directory of", errno) }
        defer { close(directory) }
        // EINVAL: this file system has no separate directory entries to flush.
        guard fsync(directory) == 0 || errno == EINVAL else { throw failure("Cannot flush the directory of", errno) }
    }

    private borrowing func failure(_ action: String, _ errorNumber: Int32) -> FormatError {
        .system(
            .writeFailed, "\(action) \(path)", errorNumber: errorNumber,
            remedy: "free space or name another directory, then write again")
    }
}
