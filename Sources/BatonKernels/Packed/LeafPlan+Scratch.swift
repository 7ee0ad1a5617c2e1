extension LeafPlan {
    /// Elements that the product of a weight gradient works with on the packed kernels, besides its right operands: some
    /// strips of left columns of one subtree at a time, and partial sums.
    public static func gradientScratchCount(_ plans: [LeafPlan], steps: Int, lanes: Int) -> Int {
        let rows =
            plans.flatMap { plan in plan.subtrees.map { plan.leaves[$0].reduce(0) { $0 + $1.count } } }.max() ?? 0
        return PackedWeightGradient.groupStrips * lanes * (steps * rows + PackedWeightGradient.blocks * 4 * lanes)
    }
}
