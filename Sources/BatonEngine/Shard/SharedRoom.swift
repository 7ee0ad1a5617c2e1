public import BatonComm

/// The room that the machines of a job have for memory of several processes, asked before layouts are tried.
///
/// What a rank finds when it takes memory is too late for that: another group of ranks on the machine may have had the last
/// of it, and the groups would go on differently. And what was taken is given back at the end of the job only.
public struct SharedRoom: Sendable {
    /// Of the machine that has least; nil if none can tell.
    private let bytes: Int?
    /// Ranks of the machine that has most.
    private let ranksPerMachine: Int

    /// Asks all machines. Collective; every rank gets the same.
    public init(_ world: any Communicator) throws(CommError) {
        let room = try world.allGather(world.sharedRoom ?? .max).min() ?? .max
        let local = (try? LaunchEnvironment())?.localSize ?? world.size
        self.init(bytes: room == .max ? nil : room, ranksPerMachine: try world.allGather(local).max() ?? local)
    }

    init(bytes: Int?, ranksPerMachine: Int) {
        self.bytes = bytes
        self.ranksPerMachine = ranksPerMachine
    }

    /// Why groups of ranks cannot share memory; nil if they can.
    ///
    /// - Parameters:
    ///   - shards: ranks of a group.
    ///   - needed: bytes that a group takes altogether.
    public func refusal(shards: Int, needed: Double) -> String? {
        let groups = Double(max(1, ranksPerMachine / shards))
        guard let bytes, shards > 1, groups * needed > Double(bytes) else { return nil }
        return
            "groups of \(shards) ranks may need \(Int(groups * needed / 0x1p20)) MiB of memory they share, and a machine has room for \(bytes >> 20) MiB (/dev/shm; a container's --shm-size)."
    }
}
