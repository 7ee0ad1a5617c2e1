import BatonKernelABI

extension BLASRecurrentSequence: WindowPart {
    /// Long enough that OpenBLAS does not lose much by several products, short enough that chunks of a long window can
    /// be.
    static var unit: Int { 32 }

    /// The carries hold all there is: dh of the step before is made with the step itself.
    func keepFollowing() {}

    func continueWeights(
        _ leafSums: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook
    ) {
        order.checkWalkedBack(of: steps)
        guard let training else {
            fatalError("BLASRecurrentSequence: a training pass without its workspace")
        }
        for (leaf, sums) in zip(leaves.leaves, leafSums) {
            // The arrays of a leaf adjoin, in the order of `addGradient`.
            addGradient(of: leaf, to: sums.inputWeight, forward, training)
            hook()
        }
    }

    var workspaceBytes: Int {
        let own = [hidden, cell, unprojected, gates, recurrentGates]
        return (own + (training?.buffers ?? [])).reduce(0) { $0 + $1.count } * MemoryLayout<Scalar>.stride
    }
}
