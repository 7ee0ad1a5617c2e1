import BatonChecks
public import BatonComm
public import BatonKernels
public import BatonNN
import BatonTensor

/// The part of a recurrent stack and of its batch that one rank of a layout holds.
public struct StackShare: Sendable, Hashable {
    /// Rows of the global batch.
    public let rows: Range<Int>
    /// The leaves of these rows, in local row numbers.
    public let leaves: LeafPlan
    /// Layers of the rank's pipeline stage.
    public let layers: Range<Int>
    /// Directions held, of `directionCount`.
    public let directions: Range<Int>
    /// D of the stack.
    public let directionCount: Int

    /// The share of a place.
    ///
    /// - Parameters:
    ///   - batchSize: Rows of the global batch.
    ///   - leafCount: Leaves of the global batch, a power of two.
    /// - Throws: `EngineError` if the layout does not fit the stack or the batch; the same on every rank.
    public init(
        _ stack: RecurrentLayer, _ layout: ParallelLayout, place: ParallelLayout.Place, batchSize: Int, leafCount: Int
    ) throws(EngineError) {
        guard layout.directions == 1 || stack.bidirectional else {
            throw EngineError(
                "dir=2 divides the two directions of a layer, and this stack has one; use pp or dp instead.")
        }
        try HiddenShard.check(layout, stack)
        layers = try StagePartition(stack, stages: layout.stages).stages[place.stage]
        guard layout.replicas <= leafCount else {
            throw EngineError(
                "dp=\(layout.replicas) does not fit a batch of \(counted(batchSize, "row")) in \(counted(leafCount, "leaf", "leaves")); use at most dp=\(leafCount)."
            )
        }
        let own = RankShare(lanes: batchSize, leafCount: leafCount, rank: place.replica, size: layout.replicas)
        (rows, leaves, directionCount) = (own.lanes, own.leaves, stack.directionCount)
        directions = layout.directions == 2 ? place.direction..<place.direction + 1 : 0..<stack.directionCount
    }

    /// Entries of the whole states that this rank holds, ascending: l·D + d. Also the numbers of its directions in
    /// `RecurrentLayer.directions`.
    public var slots: [Int] {
        layers.flatMap { layer in directions.map { layer * directionCount + $0 } }
    }
}
