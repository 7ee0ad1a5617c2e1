/// The arrays of a training pass that inference does without. Arrays with a step axis are in processing order.
final class BLASTrainingWorkspace<Scalar: BLASScalar> {
    /// (T, N, H): tanh c (LSTM) or Q's n block (GRU).
    let kept: ScalarBuffer<Scalar>
    /// (T, N, G·H) gradient of the pre-activations, and of Q for the GRU.
    let gateGradient: ScalarBuffer<Scalar>
    let recurrentGateGradient: ScalarBuffer<Scalar>
    /// (T, N, P) gradient of a projected layer's h, and (N, H) of what it is projected from.
    let projectedGradient: ScalarBuffer<Scalar>
    let unprojectedGradient: ScalarBuffer<Scalar>
    /// (N, R) and (N, H) gradients of the states on their way down the steps.
    let hiddenGradient: ScalarBuffer<Scalar>
    let cellGradient: ScalarBuffer<Scalar>
    /// A piece of steps of the largest leaf, G·H and max(I, H, P) columns: what a leaf's weight gradient multiplies,
    /// gathered.
    let gatheredGradient: ScalarBuffer<Scalar>
    let gatheredFactor: ScalarBuffer<Scalar>
    /// Partial gradients on their way up the tree of leaves.
    private(set) lazy var tree = LeafTree<Scalar>(width: gradientWidth, plan: plan)
    private let gradientWidth: Int
    private let plan: LeafPlan

    init(shape: RecurrentShape, steps: Int, plan: LeafPlan) {
        let rows = steps * plan.rowCount
        let keeps = shape.cell == .lstm || shape.cell == .gru
        kept = ScalarBuffer(keeps ? rows * shape.hidden : 0)
        gateGradient = ScalarBuffer(rows * shape.gateRows)
        recurrentGateGradient = ScalarBuffer(shape.cell == .gru ? rows * shape.gateRows : 0)
        projectedGradient = ScalarBuffer(rows * (shape.projection ?? 0))
        unprojectedGradient = ScalarBuffer(shape.projection == nil ? 0 : plan.rowCount * shape.hidden)
        hiddenGradient = ScalarBuffer(plan.rowCount * shape.outputSize)
        cellGradient = ScalarBuffer(shape.cell.hasCellState ? plan.rowCount * shape.hidden : 0)
        let largestLeaf = min(steps, BLASRecurrentSequence<Scalar>.unit) * (plan.leaves.map(\.count).max() ?? 0)
        gatheredGradient = ScalarBuffer(largestLeaf * max(shape.gateRows, shape.outputSize))
        gatheredFactor = ScalarBuffer(largestLeaf * max(shape.inputSize, shape.hidden, shape.outputSize))
        gradientWidth = shape.parameterCount
        self.plan = plan
    }

    /// (N, H) of a step, for cells that keep something.
    func kept(step: Int, count: Int) -> UnsafeMutablePointer<Scalar> {
        kept.pointer + (kept.count > 0 ? step * count : 0)
    }

    /// All but the tree.
    var buffers: [ScalarBuffer<Scalar>] {
        [
            kept, gateGradient, recurrentGateGradient, projectedGradient, unprojectedGradient, hiddenGradient,
            cellGradient, gatheredGradient, gatheredFactor,
        ]
    }
}
