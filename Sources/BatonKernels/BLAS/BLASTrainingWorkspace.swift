/// The arrays of a training pass that inference does without. Arrays with a step axis are in processing order.
final class BLASTrainingWorkspace<Scalar: BLASScalar> {
    /// (T, N, H): tanh c (LSTM) or Q's n block (GRU).
    let kept: ScalarBuffer<Scalar>
    /// (T, N, G·H) gradient of the pre-activations, and of Q for the GRU.
    let gateGradient: ScalarBuffer<Scalar>
    let recurrentGateGradient: ScalarBuffer<Scalar>
    /// (N, H) gradients of the states on their way down the steps.
    let hiddenGradient: ScalarBuffer<Scalar>
    let cellGradient: ScalarBuffer<Scalar>
    /// T rows per row of the largest leaf, G·H and max(I, H) columns: what a leaf's weight gradient multiplies,
    /// gathered.
    let gatheredGradient: ScalarBuffer<Scalar>
    let gatheredFactor: ScalarBuffer<Scalar>
    /// Partial gradients on their way up the tree of leaves.
    let tree: LeafTree<Scalar>

    init(shape: RecurrentShape, steps: Int, plan: LeafPlan) {
        let rows = steps * plan.rowCount
        let keeps = shape.cell == .lstm || shape.cell == .gru
        kept = ScalarBuffer(keeps ? rows * shape.hidden : 0)
        gateGradient = ScalarBuffer(rows * shape.gateRows)
        recurrentGateGradient = ScalarBuffer(shape.cell == .gru ? rows * shape.gateRows : 0)
        hiddenGradient = ScalarBuffer(plan.rowCount * shape.hidden)
        cellGradient = ScalarBuffer(shape.cell.hasCellState ? plan.rowCount * shape.hidden : 0)
        let largestLeaf = steps * (plan.leaves.map(\.count).max() ?? 0)
        gatheredGradient = ScalarBuffer(largestLeaf * shape.gateRows)
        gatheredFactor = ScalarBuffer(largestLeaf * max(shape.inputSize, shape.hidden))
        tree = LeafTree(width: shape.gateRows * (shape.inputSize + shape.hidden + 2), plan: plan)
    }

    /// (N, H) of a step, for cells that keep something.
    func kept(step: Int, count: Int) -> UnsafeMutablePointer<Scalar> {
        kept.pointer + (kept.count > 0 ? step * count : 0)
    }
}
