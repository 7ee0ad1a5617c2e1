import BatonChecks
import Glibc

/// Bytes at random access: a file, or memory that holds the content of one.
///
/// Files are read with `pread` straight into the caller's memory rather than mapped: a mapped file that another
/// process truncates kills the reader with SIGBUS, whereas a short `pread` is an error that can be reported.
struct ByteSource {
    /// The name used in messages.
    let name: String
    /// Size when the source was opened.
    let byteCount: Int
    private let backing: Backing

    private enum Backing {
        case file(OpenFile)
        case memory([UInt8])
    }

    private final class OpenFile {
        let descriptor: Int32
        init(descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// The bytes of a regular file.
    init(path: String) throws(FormatError) {
        // Non-blocking, so that a pipe somebody left under this name is refused below instead of waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .system(
                .cannotOpen, "Cannot open \(path)", errorNumber: errno, remedy: "check the path and its permissions")
        }
        let file = OpenFile(descriptor: descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .system(.cannotOpen, "Cannot examine \(path)", errorNumber: errno, remedy: "check the file system")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FormatError(
                .notARegularFile,
                "\(path) is a directory, pipe or device where a regular file is expected; name a file.")
        }
        name = path
        byteCount = Int(status.st_size)
        backing = .file(file)
    }

    /// Bytes in memory.
    init(bytes: [UInt8], name: String) {
        self.name = name
        byteCount = bytes.count
        backing = .memory(bytes)
    }

    /// Copies `destination.count` bytes that start at `offset`.
    ///
    /// - Precondition: the range lies within `byteCount`; callers check what a header claims before they read.
    func read(at offset: Int, into destination: UnsafeMutableRawBufferPointer) throws(FormatError) {
        require(
            offset >= 0 && destination.count <= byteCount - offset,
            "ByteSource: \(destination.count) bytes at \(offset) lie outside \(byteCount) bytes")
        guard let start = destination.baseAddress else { return }
        switch backing {
        case .memory(let bytes):
            bytes.withUnsafeBytes { source in
                destination.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + destination.count]))
            }
        case .file(let file):
            var done = 0
            while done < destination.count {
                let received = pread(file.descriptor, start + done, destination.count - done, off_t(offset + done))
                if received > 0 {
                    done += received
                } else if received == 0 {
                    throw FormatError(
                        .readFailed,
                        "\(name) shrank to fewer than \(byteCount) bytes while it was read; "
                            + "do not write the file in place while it is in use.")
                } else if errno != EINTR {
                    throw .system(
                        .readFailed, "Cannot read \(name)", errorNumber: errno, remedy: "check the disk and try again")
                }
            }
        }
    }

    /// `count` bytes that start at `offset`, as an array.
    func bytes(at offset: Int, count: Int) throws(FormatError) -> [UInt8] {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { memory.deallocate() }
        try read(at: offset, into: memory)
        return [UInt8](memory)
    }
}
