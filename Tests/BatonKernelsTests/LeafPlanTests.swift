import BatonKernels
import Testing

@Suite struct LeafPlanTests {
    @Test func `leaves cover the batch in order and their number is a power of two up to eight`() {
        for rows in 1...40 {
            let plan = LeafPlan.whole(rows: rows)
            #expect(plan.leaves.first?.lowerBound == 0 && plan.rowCount == rows)
            #expect(zip(plan.leaves, plan.leaves.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            #expect(plan.leaves.count == [1, 2, 2, 4, 4, 4, 4, 8][min(rows, 8) - 1])
            let sizes = plan.leaves.map(\.count)
            #expect(sizes.max()! - sizes.min()! <= 1)
            #expect(plan.subtrees == [0..<plan.leaves.count])
        }
    }

    @Test(arguments: 1...8) func `the parts of all processes hold every leaf once`(size: Int) {
        let rows = 21
        let parts = (0..<size).map { LeafPlan.part(rows: rows, leafCount: 8, rank: $0, size: size) }
        #expect(parts.map(\.rowCount).reduce(0, +) == rows)
        #expect(parts.flatMap { $0.leaves.map(\.count) } == LeafPlan.leafRows(rows: rows, count: 8).map(\.count))
        for part in parts {
            #expect(part.subtrees.flatMap(Array.init) == Array(part.leaves.indices))
            #expect(part.leaves.isEmpty || part.leaves[0].lowerBound == 0)
        }
    }

    @Test func `subtrees are aligned in global leaf numbers`() {
        #expect(LeafPlan.alignedSubtrees(0..<8) == [0..<8])
        #expect(LeafPlan.alignedSubtrees(2..<5) == [2..<4, 4..<5])
        #expect(LeafPlan.alignedSubtrees(5..<8) == [5..<6, 6..<8])
        #expect(LeafPlan.alignedSubtrees(3..<3) == [])
        // The middle one of three processes: leaves 2, 3, 4 are local numbers 0, 1, 2.
        #expect(LeafPlan.part(rows: 16, leafCount: 8, rank: 1, size: 3).subtrees == [0..<2, 2..<3])
    }
}
