/// The receives of this process that have met no message yet, in the order they were started.
///
/// Messages of one group, sender and tag go to receives in that order, whichever of them is tested first (MPI 3.1
/// §3.5). And as every MPI call moves all transfers, every unsuccessful `test` looks for a message of one receive here,
/// each time the next, so that no receive has to be tested itself for its sender to get on.
final class UnmatchedReceives {
    // Unowned without check: a receive removes itself when it ends.
    private struct Entry { unowned(unsafe) let receive: MPIReceive }
    private var entries: [Entry] = []
    private var turn = 0

    func add(_ receive: MPIReceive) { entries.append(Entry(receive: receive)) }

    func remove(_ receive: MPIReceive) {
        if let place = entries.firstIndex(where: { $0.receive === receive }) { entries.remove(at: place) }
    }

    /// The receive that gets the next message of the group, sender and tag of the given one.
    func oldest(like receive: MPIReceive) -> MPIReceive? {
        entries.first { $0.receive.competes(with: receive) }?.receive
    }

    /// Looks for the message of the receive whose turn it is.
    func matchNext() {
        guard !entries.isEmpty else { return }
        turn = (turn + 1) % entries.count
        entries[turn].receive.match()
    }
}
