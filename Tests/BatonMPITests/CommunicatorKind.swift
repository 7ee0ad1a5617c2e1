import BatonComm
import BatonMPITestSupport

/// The communicators every conformance test runs on: the group of one always, MPI's groups under `mpirun`.
enum CommunicatorKind: String, CaseIterable, Sendable {
    case alone, aloneDecorated, world, worldDecorated, duplicate, halves, reversed

    static var available: [CommunicatorKind] {
        TestWorld.isUnderMPI ? Array(allCases) : [.alone, .aloneDecorated]
    }

    /// A communicator of this kind. Collective. Groups that MPI makes are made once per process.
    func make() throws -> any Communicator {
        switch self {
        case .alone: SelfCommunicator()
        case .aloneDecorated: FaultInjectingCommunicator(SelfCommunicator(), plan: FaultPlan())
        case .world: try TestWorld.communicator()
        case .worldDecorated: FaultInjectingCommunicator(try TestWorld.communicator(), plan: FaultPlan())
        case .duplicate, .halves, .reversed: try madeOnce()
        }
    }

    private func madeOnce() throws -> any Communicator {
        if let group = CommunicatorKind.groups[self] { return group }
        let world = try TestWorld.communicator()
        let group: (any Communicator)? =
            switch self {
            case .halves: try world.split(color: world.rank % 2, key: world.rank)
            case .reversed: try world.split(color: 0, key: -world.rank)
            default: try world.duplicate()
            }
        guard let group else { throw CommError(.invalid, "split gave rank \(world.rank) no group of its color.") }
        CommunicatorKind.groups[self] = group
        return group
    }

    // Tests that use communicators run one at a time (see TestWorld).
    nonisolated(unsafe) private static var groups: [CommunicatorKind: any Communicator] = [:]
}
