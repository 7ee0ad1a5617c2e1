public import BatonComm

/// A reduction that moves only when it is polled, with a face that a C callback (a kernel's step hook) can reach.
public class PolledReduction {
    /// The error of a poll from the hook, which cannot throw: kept for the next call that can.
    final var hookFailure: CommError?
    /// Gets the time in which transfers are under way; nil records nothing.
    final var trace: StepTrace?
    final var busy = BusyInterval()

    init() {}

    /// Moves the reduction on, without waiting. Cheap when nothing is under way.
    public func poll() throws(CommError) { preconditionFailure("PolledReduction: subclasses say how to poll") }

    /// Computes something that has been waiting for a message; whether there was anything. To be called where a rank would
    /// only wait, never by a kernel.
    func work() throws(CommError) -> Bool { false }

    /// To be called by a kernel after each time step, with `hookContext`. Polls; an error is thrown by the next
    /// `start` or `finish`.
    public static var hookFunction: @convention(c) (UnsafeMutableRawPointer?) -> Void {
        { context in
            guard let context else { return }
            Unmanaged<PolledReduction>.fromOpaque(context).takeUnretainedValue().pollFromHook()
        }
    }

    /// `poll` for a caller that cannot throw.
    final func pollFromHook() {
        guard hookFailure == nil else { return }
        do throws(CommError) { try poll() } catch { hookFailure = error }
    }

    /// Context of `hookFunction`: this object, unretained.
    public final var hookContext: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// Throws what a poll from the hook met.
    final func throwHookFailure() throws(CommError) {
        if let hookFailure { throw hookFailure }
    }
}
