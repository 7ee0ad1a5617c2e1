public import BatonComm
public import BatonKernelABI
internal import BatonTensor

/// A reduction that moves only when it is polled, with a face that a C callback (a kernel's step hook) can reach.
public class PolledReduction {
    /// The error of a poll from the hook, which cannot throw: kept for the next call that can.
    final var hookFailure: CommError?
    /// Gets the time in which transfers are under way; nil records nothing.
    final var trace: StepTrace?
    final var busy = BusyInterval()

    init() {}

    /// Moves the reduction on, without waiting. Cheap when nothing is under way. Not collective.
    ///
    /// - Throws: `CommError` of a transfer that failed.
    public func poll() throws(CommError) { fatalError("PolledReduction: subclasses say how to poll") }

    /// Computes something that has been waiting for a message; whether there was anything. To be called where a rank would
    /// only wait, never by a kernel.
    func work() throws(CommError) -> Bool { false }

    /// To be given to kernels: polls after each time step. An error is thrown by the next call that can. The object is
    /// not retained.
    public final var hook: StepHook {
        StepHook(
            function: { context in
                guard let context else { return }
                Unmanaged<PolledReduction>.fromOpaque(context).takeUnretainedValue().pollFromHook()
            }, context: hookContext)
    }

    /// `poll` for a caller that cannot throw.
    final func pollFromHook() {
        guard hookFailure == nil else { return }
        do throws(CommError) { try poll() } catch { hookFailure = error }
    }

    /// This object as the context of a hook, unretained.
    final var hookContext: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// Throws what a poll from the hook met.
    final func throwHookFailure() throws(CommError) {
        if let hookFailure { throw hookFailure }
    }
}
