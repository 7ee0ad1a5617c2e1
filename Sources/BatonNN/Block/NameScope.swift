import Synchronization

/// Hands out automatic block names: a hint and a counter per hint.
///
/// Outside any scope the counters belong to the process (`lstm0_`, `lstm1_`, …); inside `block.nameScope` they belong
/// to that block and names begin with its prefix. Source: Gluon `Block.name_scope` (parity 3.1).
final class NameScope: Sendable {
    private let prefix: String
    private let counters = Mutex<[String: Int]>([:])

    init(prefix: String) { self.prefix = prefix }

    static let process = NameScope(prefix: "")
    /// The innermost open scope of the task.
    @TaskLocal static var current = NameScope.process

    /// The full prefix of a new block.
    func prefix(explicit: String?, hint: String) -> String {
        if let explicit { return prefix + explicit }
        let number = counters.withLock { table in
            let next = table[hint, default: 0]
            table[hint] = next + 1
            return next
        }
        return "\(prefix)\(hint)\(number)_"
    }
}
