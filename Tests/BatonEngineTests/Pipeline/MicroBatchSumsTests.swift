import BatonKernels
import BatonMPITestSupport
import BatonTensor
import Testing

@testable import BatonEngine

@Suite(.enabled(if: !TestWorld.isUnderMPI)) struct MicroBatchSumsTests {
    /// The parts of a rank hold its leaves, and their gradients end in the rank's own subtrees.
    @Test func partsAddUpToTheRanksSubtrees() {
        for leafCount in [1, 2, 4, 8] {
            for replicas in 1...leafCount {
                for microBatches in 1...leafCount / replicas {
                    for replica in 0..<replicas {
                        check(leafCount, replica, replicas, microBatches)
                    }
                }
            }
        }
    }

    private func check(_ leafCount: Int, _ replica: Int, _ replicas: Int, _ microBatches: Int) {
        let sums = MicroBatchSums(
            lanes: 19, leafCount: leafCount, replica: replica, replicas: replicas, microBatches: microBatches)
        let whole = RankShare(lanes: 19, leafCount: leafCount, rank: replica, size: replicas)
        #expect(sums.shares.flatMap { Array($0.lanes) } == Array(whole.lanes))
        #expect(sums.shares.allSatisfy { !$0.lanes.isEmpty })
        #expect(sums.roots.count == whole.leaves.subtrees.count)
        // Gradients that count leaves: after the additions each root holds the leaves of its subtree.
        let parameter = Parameter(name: "p", shape: [1])
        parameter.setData(Tensor(zeros: [1]))
        let arena = ParameterArena([parameter], subtreeCount: sums.gradientCount)
        var number = 0
        for share in sums.shares {
            for subtree in share.leaves.subtrees {
                arena.gradients[number].pointer(of: Float.self)[0] = Float(subtree.count)
                number += 1
            }
        }
        sums.combine(arena, elements: 0..<1)
        #expect(
            sums.roots.map { arena.gradients[$0].pointer(of: Float.self)[0] }
                == whole.leaves.subtrees.map { Float($0.count) })
    }
}
