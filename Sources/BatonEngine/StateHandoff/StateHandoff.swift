public import BatonComm
import BatonKernels
public import BatonTensor

/// The owner map of recurrent state, (lane, layer) → rank, and the moves it implies.
///
/// In a data-parallel layout the rank that holds a lane owns the states of all its layers. State tensors are
/// (L, N, H) on a rank and (L, B, H) globally; lanes follow `RankShare`.
public struct StateHandoff {
    /// B.
    public let lanes: Int
    /// Leaves the lanes are cut into.
    public let leafCount: Int

    /// The owner map of a batch of lanes.
    public init(lanes: Int, leafCount: Int) {
        self.lanes = lanes
        self.leafCount = leafCount
    }

    /// Collects the states of all lanes on every rank. Collective.
    ///
    /// - Parameter local: (L, N, H) of this rank's lanes, f32.
    /// - Returns: (L, B, H).
    public func gather(_ local: Tensor, on communicator: any Communicator) throws(CommError) -> Tensor {
        let (layers, hidden) = (local.shape[0], local.shape[2])
        let global = Tensor(zeros: [layers, lanes, hidden])
        for rank in 0..<communicator.size {
            let share = RankShare(lanes: lanes, leafCount: leafCount, rank: rank, size: communicator.size)
            let part = rank == communicator.rank ? local : Tensor(zeros: [layers, share.lanes.count, hidden])
            try communicator.broadcast(
                UnsafeMutableRawBufferPointer(start: part.rawPointer, count: part.byteCount), from: rank)
            copy(part, lanes: 0..<share.lanes.count, to: global, firstLane: share.lanes.lowerBound)
        }
        return global
    }

    /// The part of global states that a rank owns.
    ///
    /// - Parameter global: (L, B, H), f32.
    /// - Returns: (L, N, H).
    public func part(of global: Tensor, rank: Int, size: Int) -> Tensor {
        let share = RankShare(lanes: lanes, leafCount: leafCount, rank: rank, size: size)
        let local = Tensor(zeros: [global.shape[0], share.lanes.count, global.shape[2]])
        copy(global, lanes: share.lanes, to: local, firstLane: 0)
        return local
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
