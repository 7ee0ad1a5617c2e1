import BatonChecks
import BatonComm
import BatonKernels
import BatonTensor

/// The owner map of recurrent state, (lane, layer) → rank, and the moves it implies when a run starts, ends, or goes on
/// in another layout.
///
/// State lives where its layer runs for its lane and does not travel in between. State tensors are (layers, N, H) on a
/// rank and (L, B, H) globally; lanes follow `RankShare` over the replicas, layers the partition over the stages.
struct StateHandoff {
    /// B.
    let lanes: Int
    /// Leaves the lanes are cut into.
    let leafCount: Int
    /// Layers of every pipeline stage.
    let partition: StagePartition
    /// The layout of the ranks.
    let layout: ParallelLayout

    /// The owner map of a batch of lanes.
    ///
    /// - Precondition: as many stages in the partition as in the layout.
    init(lanes: Int, leafCount: Int, partition: StagePartition, layout: ParallelLayout) {
        require(
            partition.stages.count == layout.stages,
            "StateHandoff: \(partition.stages.count) stages of layers for a layout of \(layout.stages)")
        self.lanes = lanes
        self.leafCount = leafCount
        self.partition = partition
        self.layout = layout
    }

    /// The rank that holds the state of a layer for a lane.
    func owner(lane: Int, layer: Int) -> Int {
        let replica = (0..<layout.replicas).first { share(ofReplica: $0).lanes.contains(lane) }
        guard let replica else { fatalError("StateHandoff: no lane \(lane) among \(lanes)") }
        return layout.rank(at: .init(replica: replica, stage: partition.stage(ofLayer: layer)))
    }

    /// Collects the states of all lanes and layers on every rank. Collective.
    ///
    /// - Parameter local: (layers, N, H) of this rank, f32.
    /// - Returns: (L, B, H).
    func gather(_ local: Tensor, on grid: ProcessGrid) throws(CommError) -> Tensor {
        let hidden = local.shape[2]
        let own = partition.stages[grid.place.stage]
        let global = Tensor(zeros: [partition.stages.reduce(0) { $0 + $1.count }, lanes, hidden])
        for replica in 0..<layout.replicas {
            let share = share(ofReplica: replica)
            let part =
                replica == grid.place.replica ? local : Tensor(zeros: [own.count, share.lanes.count, hidden])
            try grid.replicaGroup.broadcast(part.bytes, from: replica)
            copy(part, lanes: 0..<share.lanes.count, to: global[leading: own], firstLane: share.lanes.lowerBound)
        }
        for (stage, layers) in partition.stages.enumerated() {
            try grid.stageGroup.broadcast(global[leading: layers].bytes, from: stage)
        }
        return global
    }

    /// The part of global states that the rank at a place owns.
    ///
    /// - Parameter global: (L, B, H), f32.
    /// - Returns: (layers, N, H).
    func part(of global: Tensor, at place: ParallelLayout.Place) -> Tensor {
        let layers = partition.stages[place.stage]
        let share = share(ofReplica: place.replica)
        let local = Tensor(zeros: [layers.count, share.lanes.count, global.shape[2]])
        copy(global[leading: layers], lanes: share.lanes, to: local, firstLane: 0)
        return local
    }

    private func share(ofReplica replica: Int) -> RankShare {
        RankShare(lanes: lanes, leafCount: leafCount, rank: replica, size: layout.replicas)
    }

    private func copy(_ source: Tensor, lanes range: Range<Int>, to target: Tensor, firstLane: Int) {
        let hidden = source.shape[2]
        let from = source.pointer(of: Float.self)
        let to = target.pointer(of: Float.self)
        for layer in 0..<source.shape[0] {
            (to + (layer * target.shape[1] + firstLane) * hidden).update(
                from: from + (layer * source.shape[1] + range.lowerBound) * hidden, count: range.count * hidden)
        }
    }
}
