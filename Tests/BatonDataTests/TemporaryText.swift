import Foundation

/// A text file, removed by `remove()`.
///
/// Not by a deinitializer: Swift may release an object before the path taken from it has been used.
struct TemporaryText {
    let path: String

    init(_ bytes: [UInt8]) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString).txt").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    init(_ text: String) throws { try self.init(Array(text.utf8)) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
