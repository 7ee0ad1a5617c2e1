import BatonKernelABI

extension PackedRecurrentSequence: WindowPart {
    static var unit: Int { 1 }

    func keepFollowing() {
        let first = gates + time(0) * batch * gateRowStride
        followingGates.reserve(batch * gateRowStride).update(from: first, count: batch * gateRowStride)
    }

    func continueWeights(
        _ leafSums: [RecurrentGradientPointers<Float>], leaves: LeafPlan, forward: RecurrentForward<Float>,
        hook: StepHook
    ) {
        let single = LeafPlan(leaves: leaves.leaves, subtrees: leaves.leaves.indices.map { $0..<$0 + 1 })
        addWeights(leafSums, leaves: single, forward: forward, continuesChains: true, hook: hook)
    }

    var workspaceBytes: Int {
        let buffers =
            [
                gateBuffer, cellBuffer, cellCarry, hiddenCarry, unprojectedBuffer, projectedGradientBuffer,
                followingGates,
                convertedInput, convertedHidden, distinctProducts,
                gradientBuffers.left, gradientBuffers.right, gradientBuffers.joined, gradientBuffers.scratch,
            ] + gathered.buffers
        return buffers.reduce(0) { $0 + $1.capacity } * MemoryLayout<Float>.stride
    }
}
