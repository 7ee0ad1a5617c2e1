import BatonComm

/// Tasks of a stage that need no message and must be done by a certain moment: they are done while it would only wait,
/// the rest when the moment has come.
///
/// A first stage waits for the first gradients from above, a later one for the first activations: what a backward pass
/// needs need not be prepared before the forward pass, where every stage above would wait for it.
final class IdleWork: PolledReduction {
    private let companion: PolledReduction
    /// Those not done, in order.
    private var tasks: ArraySlice<() -> Void> = []

    /// - Parameter companion: polled, and worked for when nothing is left here.
    init(companion: PolledReduction) {
        self.companion = companion
        super.init()
    }

    /// Gives new tasks in place of those before.
    func begin(_ tasks: [() -> Void]) { self.tasks = tasks[...] }

    /// Does what is left.
    func finish() { while let task = tasks.popFirst() { task() } }

    override func work() throws(CommError) -> Bool {
        guard let task = tasks.popFirst() else { return try companion.work() }
        task()
        return true
    }

    override func poll() throws(CommError) { try companion.poll() }
}
