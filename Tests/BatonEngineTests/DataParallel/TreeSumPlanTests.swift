import BatonKernels
import Testing

@testable import BatonEngine

@Suite struct TreeSumPlanTests {
    /// The expression of a subtree, written out: "((0+1)+(2+3))".
    private func expression(_ leaves: Range<Int>) -> String {
        if leaves.count == 1 { return "\(leaves.lowerBound)" }
        let middle = leaves.lowerBound + leaves.count / 2
        return "(\(expression(leaves.lowerBound..<middle))+\(expression(middle..<leaves.upperBound)))"
    }

    @Test(arguments: [1, 2, 4, 8, 16], 1...9)
    func theAdditionsSpellTheTreeForAnyNumberOfRanks(leafCount: Int, size: Int) {
        let plan = TreeSumPlan(leafCount: leafCount, size: size)
        var values = plan.nodes.map { expression($0.leaves) }
        for addition in plan.additions {
            values[addition.left] = "(\(values[addition.left])+\(values[addition.right]))"
        }
        #expect(values[0] == expression(0..<leafCount))
    }

    @Test(arguments: [1, 2, 4, 8], 1...9)
    func theNodesOfARankAreItsSubtrees(leafCount: Int, size: Int) {
        let plan = TreeSumPlan(leafCount: leafCount, size: size)
        for rank in 0..<size {
            let own = plan.nodes.filter { $0.rank == rank }
            let range = rank * leafCount / size..<(rank + 1) * leafCount / size
            #expect(own.map(\.leaves) == LeafPlan.alignedSubtrees(range))
            #expect(own.map(\.arena) == Array(own.indices))
            #expect(
                GradientTree<Float>.arenaCount(leafCount: leafCount, rank: rank, size: size) == max(1, own.count))
        }
    }

    @Test(arguments: [0..<0, 5..<6, 0..<15, 3..<40, 16..<1000, 7..<100_003], 1...8)
    func slicesCoverTheBucketAndBeginAtMultiplesOfSixteen(bucket: Range<Int>, size: Int) {
        let slices = BucketExchange<Float>.slices(of: bucket, count: size)
        #expect(slices.count == size)
        #expect(slices.first?.lowerBound == bucket.lowerBound && slices.last?.upperBound == bucket.upperBound)
        #expect(zip(slices, slices.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(slices.dropFirst().allSatisfy { $0.lowerBound % 16 == 0 || $0.lowerBound == bucket.lowerBound })
        #expect(slices.allSatisfy { $0.count <= bucket.count / size + 32 })
    }

    /// The result may stand where an operand stands; every way of coinciding gives the same sums.
    @Test(arguments: [1, 2047, 2048, 2049, 5000])
    func theTotalMayLandOnAnyOperand(count: Int) {
        let plan = TreeSumPlan(leafCount: 8, size: 3)
        let truth: Double = (0..<plan.nodes.count).reduce(0) { $0 + Double(1 << $1) }
        for target in 0...plan.nodes.count {
            let arrays = (0...plan.nodes.count).map { node in
                let array = UnsafeMutablePointer<Double>.allocate(capacity: count)
                array.initialize(repeating: Double(1 << node), count: count)
                return array
            }
            defer { for array in arrays { array.deallocate() } }
            plan.add(Array(arrays.dropLast()), into: arrays[target], count: count)
            #expect((0..<count).allSatisfy { arrays[target][$0] == truth })
        }
    }
}
