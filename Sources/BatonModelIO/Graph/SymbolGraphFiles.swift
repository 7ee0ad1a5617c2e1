/// The two files of an exported block, named as MXNet's `HybridBlock.export` names them.
public struct SymbolGraphFiles: Sendable, Hashable {
    /// What the name of a graph ends in.
    public static let symbolEnding = "-symbol.json"

    /// The graph: `<path>-symbol.json`.
    public let symbol: String
    /// Its parameters: `<path>-<epoch>.params`, four digits or more.
    public let parameters: String

    /// The names for a path without ending.
    public init(path: String, epoch: Int = 0) {
        let digits = String(epoch)
        symbol = path + Self.symbolEnding
        parameters = "\(path)-\(String(repeating: "0", count: max(0, 4 - digits.count)) + digits).params"
    }
}
