import Foundation

/// A new directory, removed with everything in it by `remove()`.
///
/// Not by a deinitializer: Swift may release an object before the path taken from it has been used.
struct TemporaryDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// The path of a golden file.
func golden(_ name: String) -> String {
    Bundle.module.bundlePath + "/Goldens/" + name
}

/// A file's bytes.
func content(of path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}
