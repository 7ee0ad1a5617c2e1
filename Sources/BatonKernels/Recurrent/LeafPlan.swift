import BatonChecks
import BatonKernelABI

/// How the rows of a batch are grouped for sums over the batch.
///
/// A leaf is a contiguous range of rows. Within a leaf a gradient is one chain (time from T−1 to 0, rows ascending);
/// leaves are summed by a fixed binary tree that does not know which process holds which leaf. A process that
/// holds a contiguous range of leaves computes the roots of the maximal aligned subtrees in its range; the sums
/// above them belong to whoever combines processes.
public struct LeafPlan: Sendable, Hashable {
    /// Rows of each local leaf, ascending and contiguous, in local row numbers starting at 0.
    public let leaves: [Range<Int>]
    /// Aligned subtrees: ranges of local leaf numbers; each count is a power of two.
    public let subtrees: [Range<Int>]

    /// A plan of given leaves and subtrees.
    ///
    /// - Precondition: every subtree holds a power of two of leaves, at most `mostLeaves`.
    public init(leaves: [Range<Int>], subtrees: [Range<Int>]) {
        require(
            subtrees.allSatisfy { $0.count > 0 && $0.count & ($0.count - 1) == 0 && $0.count <= Self.mostLeaves },
            "LeafPlan: a subtree must hold a power of two of leaves, at most \(Self.mostLeaves), got \(subtrees)")
        self.leaves = leaves
        self.subtrees = subtrees
    }

    /// Leaves that a batch is cut into at most.
    public static let mostLeaves = 1 << (SubtreeColumns.levels - 1)

    /// The whole batch in one process: `min(8, rows)` rounded down to a power of two leaves, one tree.
    public static func whole(rows: Int) -> LeafPlan {
        let count = leafCount(rows: rows)
        return LeafPlan(leaves: leafRows(rows: rows, count: count), subtrees: [0..<count])
    }

    /// The leaves that process `rank` of `size` holds: `rank·L/size ..< (rank+1)·L/size`, none if there are more
    /// processes than leaves.
    public static func leaves(ofRank rank: Int, of size: Int, leafCount: Int) -> Range<Int> {
        rank * leafCount / size..<(rank + 1) * leafCount / size
    }

    /// The part of a batch of `rows` global rows that process `rank` of `size` holds, in row numbers local to the
    /// process.
    public static func part(rows: Int, leafCount: Int, rank: Int, size: Int) -> LeafPlan {
        let all = leafRows(rows: rows, count: leafCount)
        let mine = leaves(ofRank: rank, of: size, leafCount: leafCount)
        let first = mine.isEmpty ? 0 : all[mine.lowerBound].lowerBound
        return LeafPlan(
            leaves: mine.map { all[$0].lowerBound - first..<all[$0].upperBound - first },
            subtrees: alignedSubtrees(mine).map { $0.lowerBound - mine.lowerBound..<$0.upperBound - mine.lowerBound })
    }

    /// The largest power of two ≤ min(8, rows); 1 for an empty batch.
    public static func leafCount(rows: Int) -> Int {
        require(rows >= 0, "LeafPlan: expected 0 or more rows, got \(rows)")
        var count = 1
        while count * 2 <= min(mostLeaves, rows) { count *= 2 }
        return count
    }

    /// Contiguous leaves of `rows` rows, sizes differing by at most one.
    public static func leafRows(rows: Int, count: Int) -> [Range<Int>] {
        (0..<count).map { $0 * rows / count..<($0 + 1) * rows / count }
    }

    /// Splits a range of leaf numbers into maximal subtrees of the fixed binary tree, ascending.
    public static func alignedSubtrees(_ range: Range<Int>) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = range.lowerBound
        while start < range.upperBound {
            var count = 1
            while start % (count * 2) == 0 && start + count * 2 <= range.upperBound { count *= 2 }
            result.append(start..<start + count)
            start += count
        }
        return result
    }

    /// The sum of leaves by the fixed binary tree, neighbours first.
    ///
    /// - Precondition: a power of two of leaves.
    package static func treeSum<Sum>(_ leaves: [Sum], _ add: (Sum, Sum) -> Sum) -> Sum {
        require(
            !leaves.isEmpty && leaves.count & (leaves.count - 1) == 0,
            "LeafPlan.treeSum: expected a power of two of leaves, got \(leaves.count)")
        var sums = leaves
        while sums.count > 1 { sums = stride(from: 0, to: sums.count, by: 2).map { add(sums[$0], sums[$0 + 1]) } }
        return sums[0]
    }

    /// Ends the process unless the plan is one of so many rows with a destination for every subtree.
    func check(batch: Int, destinations: Int, of caller: String) {
        require(
            rowCount == batch && destinations == subtrees.count,
            "\(caller).backwardWeights: leaves of \(rowCount) rows and \(destinations) destinations, expected \(batch) rows and \(subtrees.count) destinations"
        )
    }

    /// Number of local rows.
    public var rowCount: Int { leaves.last?.upperBound ?? 0 }
}
