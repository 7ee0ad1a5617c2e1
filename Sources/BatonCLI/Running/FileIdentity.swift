import Glibc

/// The file that a path leads to, whatever the path's spelling: through links, and with hard links too.
struct FileIdentity: Hashable {
    private let device: UInt
    private let number: UInt

    /// nil if there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// nil if the descriptor is none.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) { (device, number) = (UInt(status.st_dev), UInt(status.st_ino)) }
}
