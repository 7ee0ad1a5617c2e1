public import BatonTensor

/// Called before a block runs, with its inputs.
public typealias ForwardPreHook = (_ block: Block, _ inputs: [Variable]) -> Void
/// Called after a block ran, with its inputs and outputs: first the output, then the states, if it returned them.
public typealias ForwardHook = (_ block: Block, _ inputs: [Variable], _ outputs: [Variable]) -> Void

/// Keeps a hook attached to a block until it is detached. Source: Gluon's hook handle (parity 1.6).
public final class HookHandle {
    private var remove: (() -> Void)?

    init(_ remove: @escaping () -> Void) { self.remove = remove }

    /// Takes the hook off the block; a second call does nothing.
    public func detach() {
        remove?()
        remove = nil
    }

    /// Runs `body` and detaches the hook afterwards.
    public func whileAttached<Result>(_ body: () throws -> Result) rethrows -> Result {
        defer { detach() }
        return try body()
    }
}

/// Hooks in the order of their registration.
struct HookList<Hook> {
    private var entries: [(number: Int, hook: Hook)] = []
    private var next = 0

    var all: [Hook] { entries.map(\.hook) }
    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ hook: Hook) -> Int {
        defer { next += 1 }
        entries.append((next, hook))
        return next
    }

    mutating func remove(_ number: Int) { entries.removeAll { $0.number == number } }
}
