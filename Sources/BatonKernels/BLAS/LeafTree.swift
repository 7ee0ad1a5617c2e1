/// Sums one vector per leaf over the subtrees of a plan by the fixed binary tree: ((0+1)+(2+3))+((4+5)+(6+7)).
final class LeafTree<Scalar: BLASScalar> {
    private let width: Int
    /// One vector per level of the deepest subtree: a left sum waits in its level while the right one is made.
    private let levels: [ScalarBuffer<Scalar>]

    init(width: Int, plan: LeafPlan) {
        self.width = width
        let largest = plan.subtrees.map(\.count).max() ?? 0
        let depth = largest == 0 ? 0 : largest.trailingZeroBitCount + 1
        levels = (0..<depth).map { _ in ScalarBuffer(width) }
    }

    /// The sum over a subtree; `write` overwrites a vector with the contribution of one leaf. The result is valid
    /// until the next call.
    func sum(
        _ subtree: Range<Int>, _ write: (_ leaf: Int, _ vector: UnsafeMutablePointer<Scalar>) -> Void
    ) -> UnsafePointer<Scalar> {
        UnsafePointer(sum(subtree, level: 0, write))
    }

    private func sum(
        _ subtree: Range<Int>, level: Int, _ write: (Int, UnsafeMutablePointer<Scalar>) -> Void
    ) -> UnsafeMutablePointer<Scalar> {
        let own = levels[level].pointer
        if subtree.count == 1 {
            write(subtree.lowerBound, own)
            return own
        }
        let middle = subtree.lowerBound + subtree.count / 2
        _ = sum(subtree.lowerBound..<middle, level: level, write)
        let right = sum(middle..<subtree.upperBound, level: level + 1, write)
        Scalar.accumulate(right, into: own, count: width)
        return own
    }
}
