import BatonKernels
import BatonTensor

@testable import BatonEngine

/// Made-up gradients of every leaf, and their sum along the fixed tree in one process: the truth of the tree's tests.
struct LeafGradients<Scalar: DifferentiableScalar> {
    let leafCount: Int
    let elements: Int
    /// Distinguishes steps.
    let seed: Int

    /// Element `index` of leaf `leaf`: magnitudes spread over many powers of two, so that the order of additions
    /// shows in the bits.
    func value(_ leaf: Int, _ index: Int) -> Scalar {
        var bits = UInt64(truncatingIfNeeded: leaf &* 1_000_003 &+ index &* 7919 &+ seed &* 104_729 &+ 1)
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        let mantissa = Scalar(Int64(bitPattern: bits) >> 40) / Scalar(1 << 23)
        return mantissa * Scalar(1 << Int(bits & 15))
    }

    /// The sum of a subtree: left half + right half.
    func sum(_ leaves: Range<Int>, _ index: Int) -> Scalar {
        if leaves.count == 1 { return value(leaves.lowerBound, index) }
        let middle = leaves.lowerBound + leaves.count / 2
        return sum(leaves.lowerBound..<middle, index) + sum(middle..<leaves.upperBound, index)
    }

    /// The leaves added one after the other: what a wrong order would give.
    func chain(_ index: Int) -> Scalar {
        (1..<leafCount).reduce(value(0, index)) { $0 + value($1, index) }
    }
}

/// The arenas of one rank.
final class RankArenas<Scalar: DifferentiableScalar> {
    let arenas: [UnsafeMutablePointer<Scalar>]
    private let elements: Int
    private let subtrees: [Range<Int>]

    init(leafCount: Int, elements: Int, rank: Int, size: Int) {
        self.elements = elements
        subtrees = LeafPlan.alignedSubtrees(rank * leafCount / size..<(rank + 1) * leafCount / size)
        arenas = (0..<GradientTree<Scalar>.arenaCount(leafCount: leafCount, rank: rank, size: size)).map { _ in
            let arena = UnsafeMutablePointer<Scalar>.allocate(capacity: elements)
            arena.initialize(repeating: .nan, count: elements)
            return arena
        }
    }

    deinit { for arena in arenas { arena.deallocate() } }

    /// Writes the partial sums of `range`; a rank without leaves is left with what it had.
    func fill(_ gradients: LeafGradients<Scalar>, in range: Range<Int>) {
        for (arena, leaves) in zip(arenas, subtrees) {
            for index in range { arena[index] = gradients.sum(leaves, index) }
        }
    }
}
