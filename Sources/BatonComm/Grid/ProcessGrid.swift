/// The ranks of a job in the order of a layout, with the groups along its axes.
public final class ProcessGrid {
    /// How the ranks divide the work.
    public let layout: ParallelLayout
    /// All ranks.
    public let world: any Communicator
    /// Coordinates of this rank.
    public let place: ParallelLayout.Place
    /// The ranks that hold the same part of the model for other lanes, numbered by replica.
    public let replicaGroup: any Communicator
    /// The ranks that hold the other stages for the same lanes, numbered by stage.
    public let stageGroup: any Communicator
    /// The ranks that hold the other hidden units of the same layers for the same lanes, numbered by shard.
    public let shardGroup: any Communicator
    /// What the ranks of `shardGroup` work with; nil where hidden units are not divided.
    public let shardWorkspace: SharedWorkspace?
    /// The two ranks that compute the directions of the same layers for the same lanes, forward first.
    public let directionGroup: any Communicator

    /// Makes the groups. Collective over `world`.
    ///
    /// - Throws: `CommError` if the layout needs another number of ranks, if shards would be on different machines (on
    ///   all ranks), or of the transport.
    public init(_ layout: ParallelLayout, world: any Communicator) throws(CommError) {
        try layout.check(ranks: world.size)
        self.layout = layout
        self.world = world
        let place = layout.place(ofRank: world.rank)
        self.place = place
        func group(size: Int, color: ParallelLayout.Place, key: Int) throws(CommError) -> any Communicator {
            // A group of all is the world itself and a group of one needs no transport; both are known to every rank.
            if size == world.size { return world }
            if size == 1 { return SelfCommunicator() }
            guard let group = try world.split(color: layout.rank(at: color), key: key) else {
                throw CommError(.transport, "rank \(world.rank) was given no group.")
            }
            return group
        }
        var (sameStage, sameReplica, sameDirection, sameUnits) = (place, place, place, place)
        sameStage.replica = 0
        sameReplica.stage = 0
        sameDirection.direction = 0
        sameUnits.shard = 0
        replicaGroup = try group(size: layout.replicas, color: sameStage, key: place.replica)
        stageGroup = try group(size: layout.stages, color: sameReplica, key: place.stage)
        directionGroup = try group(size: layout.directions, color: sameDirection, key: place.direction)
        shardGroup = try group(size: layout.shards, color: sameUnits, key: place.shard)
        shardWorkspace = layout.shards > 1 ? try Self.workspace(shardGroup, world: world) : nil
    }

    /// All ranks have one, or all throw: the groups of a job may be placed differently.
    private static func workspace(
        _ group: any Communicator, world: any Communicator
    ) throws(CommError) -> SharedWorkspace {
        let made = Result { () throws(CommError) in try SharedWorkspace(group) }
        var sentence = ""
        if case .failure(let error) = made { sentence = error.message }
        let sentences = try RankAgreement.gather(Array(sentence.utf8), on: world)
        if let first = sentences.first(where: { !$0.isEmpty }) {
            throw CommError(.invalid, String(decoding: first, as: UTF8.self))
        }
        return try made.get()
    }

    /// The grid of data-parallel training on all ranks.
    ///
    /// No groups are made: not collective, and it cannot fail.
    public convenience init(dataParallel world: any Communicator) {
        // A layout of as many replicas as ranks makes no groups, so nothing can fail.
        self.init(replicas: world)
    }

    private init(replicas world: any Communicator) {
        layout = ParallelLayout(replicas: world.size)
        self.world = world
        place = layout.place(ofRank: world.rank)
        replicaGroup = world
        stageGroup = SelfCommunicator()
        shardGroup = SelfCommunicator()
        shardWorkspace = nil
        directionGroup = SelfCommunicator()
    }
}
