import BatonComm
import BatonKernels

/// Which rows every stage of a pipeline runs through the output layer, micro-batch by micro-batch.
///
/// Ranks in their order hold contiguous parts of the leaves, as in data-parallel training on all ranks. A stage's part of
/// a micro-batch is what its leaves and those of the micro-batch have in common, perhaps nothing.
struct OutputParts {
    /// Some rows of a micro-batch.
    struct Part {
        /// Rows in the micro-batch.
        var rows: Range<Int>
        /// Their leaves, in row numbers of the part.
        var leaves: LeafPlan
    }

    /// By stage, then micro-batch.
    let parts: [[Part]]
    /// How gradients of this rank's parts become those of its subtrees.
    let sums: SubtreeSums

    /// - Parameters:
    ///   - lanes: B of the global batch.
    ///   - place: of this rank.
    init(lanes: Int, leafCount: Int, layout: ParallelLayout, place: ParallelLayout.Place, microBatches: Int) {
        let rows = LeafPlan.leafRows(rows: lanes, count: leafCount)
        let count = layout.replicas * microBatches
        let batches = (0..<microBatches).map {
            LeafPlan.leaves(ofRank: place.replica * microBatches + $0, of: count, leafCount: leafCount)
        }
        let shared = (0..<layout.stages).map { stage in
            let own = Self.leaves(
                ofRank: place.replica * layout.stages + stage, layout, leafCount: leafCount)
            return batches.map { $0.clamped(to: own) }
        }
        parts = shared.map { ranges in
            zip(ranges, batches).map { leaves, batch in
                guard !leaves.isEmpty else { return Part(rows: 0..<0, leaves: LeafPlan(leaves: [], subtrees: [])) }
                let (first, end) = (rows[leaves.lowerBound].lowerBound, rows[leaves.upperBound - 1].upperBound)
                let origin = rows[batch.lowerBound].lowerBound
                return Part(
                    rows: first - origin..<end - origin,
                    leaves: LeafPlan(
                        leaves: rows[leaves].map { $0.lowerBound - first..<$0.upperBound - first },
                        subtrees: LeafPlan.alignedSubtrees(leaves).map {
                            $0.lowerBound - leaves.lowerBound..<$0.upperBound - leaves.lowerBound
                        }))
            }
        }
        sums = SubtreeSums(parts: shared[place.stage])
    }

    /// Global numbers of the leaves of a rank.
    static func leaves(ofRank rank: Int, _ layout: ParallelLayout, leafCount: Int) -> Range<Int> {
        LeafPlan.leaves(ofRank: rank, of: layout.replicas * layout.stages, leafCount: leafCount)
    }
}
