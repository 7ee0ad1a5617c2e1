import Synchronization

/// Hands out automatic block names: a hint and a counter per hint.
///
/// Outside any scope the counters belong to the process (`lstm0_`, `lstm1_`, …); inside `block.nameScope` they belong
/// to that block and names begin with its prefix. Source: Gluon `Block.name_scope` (parity 3.1).
final class NameScope: Sendable {
    /// Begins the prefixes of blocks made inside.
    private let prefix: String
    /// Begins the names of their parameters; differs from `prefix` in a block that shares another's parameters.
    let parameterPrefix: String
    /// Whose parameters blocks made inside may take over; nil if the block of the scope shares none.
    let shared: SharedParameters?
    private let counters = Mutex<[String: Int]>([:])
    /// Whose counters go on; nil has its own.
    private let counting: NameScope?

    init(prefix: String, parameterPrefix: String, shared: SharedParameters?, counting: NameScope? = nil) {
        self.counting = counting
        self.prefix = prefix
        self.parameterPrefix = parameterPrefix
        self.shared = shared
    }

    static let process = NameScope(prefix: "", parameterPrefix: "", shared: nil)
    /// The innermost open scope of the task.
    @TaskLocal static var current = NameScope.process

    /// The prefix of a new block within the scope, without the scope's own.
    func relativePrefix(explicit: String?, hint: String) -> String {
        if let explicit { return explicit }
        if let counting { return counting.relativePrefix(explicit: nil, hint: hint) }
        let number = counters.withLock { table in
            let next = table[hint, default: 0]
            table[hint] = next + 1
            return next
        }
        return "\(hint)\(number)_"
    }

    /// The full prefix of a block.
    func full(_ relative: String) -> String { prefix + relative }
}

/// A dictionary of parameters that blocks of a name scope may take over. The scope must be Sendable to be a
/// task-local value, but like every block it is used on one thread only.
struct SharedParameters: Sendable {
    nonisolated(unsafe) let dictionary: ParameterDict
}
