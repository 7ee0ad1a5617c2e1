/// Which transfers of one rank go wrong, and how: orders for a `FaultInjectingCommunicator`.
public struct FaultPlan: Sendable, Hashable {
    /// What happens to a transfer.
    public enum Fault: Sendable, Hashable {
        /// It starts only after this time, at the first `test` of any transfer of the communicator from then on.
        case delay(Duration)
        /// A send that claims success while nothing is sent; a receive that never finishes.
        case drop
        /// A send whose byte at this place (modulo the length) arrives with all bits inverted. Sends only.
        case corrupt(byte: Int)
        /// The call that starts it throws `CommError` of kind `injected`.
        case fail
    }

    /// Faults of sends by call number, counted from 1 over the life of the communicator.
    public var sends: [Int: Fault]
    /// Faults of receives by call number, counted from 1.
    public var receives: [Int: Fault]

    /// Faults by call number, counted from 1; collective operations are made of sends and receives and count too.
    ///
    /// - Precondition: No receive is ordered to corrupt: what arrives is spoiled on the sending side.
    public init(sends: [Int: Fault] = [:], receives: [Int: Fault] = [:]) {
        for case .corrupt in receives.values {
            fatalError("FaultPlan: a receive cannot be corrupted, corrupt the send on the other rank")
        }
        self.sends = sends
        self.receives = receives
    }
}
