public import BatonKernels

/// The part of a batch of lanes that one rank holds: whole leaves, contiguous.
public struct RankShare: Sendable, Hashable {
    /// Global lane numbers.
    public let lanes: Range<Int>
    /// The leaves of these lanes, in local row numbers.
    public let leaves: LeafPlan

    /// Leaves r·L/P ..< (r+1)·L/P of a batch of lanes for rank r of P; no lanes if P exceeds L.
    public init(lanes: Int, leafCount: Int, rank: Int, size: Int) {
        leaves = LeafPlan.part(rows: lanes, leafCount: leafCount, rank: rank, size: size)
        let rows = LeafPlan.leafRows(rows: lanes, count: leafCount)
        let first = LeafPlan.leaves(ofRank: rank, of: size, leafCount: leafCount).lowerBound
        let start = first < leafCount ? rows[first].lowerBound : lanes
        self.lanes = start..<start + leaves.rowCount
    }
}
