internal import BatonKernelABI

/// One layer and direction on OpenBLAS: a second implementation of the recurrent passes, for f64 and, on request,
/// f32.
///
/// The bits of a BLAS product depend on its shape, so every product covers the rows of one leaf: of one step in
/// `forward` and `backwardData`, of the whole window in `backwardWeights`. A row's result then depends neither on
/// the rows of other leaves, nor on how the window is cut into chunks, nor on the process that holds the leaf.
///
/// Arrays with a time axis are leaf-major: all steps of a leaf lie together, in processing order, so that a leaf's
/// weight gradient is one product.
final class BLASRecurrentSequence<Scalar: BLASScalar>: RecurrentSequence {
    let weights: BLASRecurrentWeights<Scalar>
    let steps: Int
    let batch: Int
    let reverse: Bool
    let plan: LeafPlan
    var shape: RecurrentShape { weights.shape }

    /// h and c: (leaf, T+1, rows, H) of a training pass, slot s before step s; (leaf, rows, H) in inference.
    var hidden: ScalarBuffer<Scalar>
    var cell: ScalarBuffer<Scalar>
    /// (leaf, T, rows, G·H) activations of a training pass; (leaf, rows, G·H) in inference.
    var gates: ScalarBuffer<Scalar>
    /// (rows of the largest leaf, 3H) GRU only, Q of the step at hand.
    let recurrentGates: ScalarBuffer<Scalar>
    /// What only a training pass needs; made by the first one.
    var training: BLASTrainingWorkspace<Scalar>?
    /// The next step `forward` may start with, and whether the last pass kept what the backward passes need.
    var nextStep = 0
    var keepsHistory = false
    /// The next end of a range `backwardData` may start with.
    var nextBackwardEnd = 0

    init(weights: BLASRecurrentWeights<Scalar>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan) {
        precondition(
            leaves.rowCount == batch,
            "BLASRecurrentSequence: the leaves hold \(leaves.rowCount) rows, the batch \(batch)")
        self.weights = weights
        self.steps = steps
        self.batch = batch
        self.reverse = reverse
        plan = leaves
        let shape = weights.shape
        hidden = ScalarBuffer(batch * shape.hidden)
        cell = ScalarBuffer(shape.cell.hasCellState ? batch * shape.hidden : 0)
        gates = ScalarBuffer(batch * shape.gateRows)
        let largestLeaf = leaves.leaves.map(\.count).max() ?? 0
        recurrentGates = ScalarBuffer(shape.cell == .gru ? largestLeaf * shape.gateRows : 0)
    }

    /// Time of a step: a reverse sequence starts at the end.
    func time(of step: Int) -> Int { reverse ? steps - 1 - step : step }

    /// Start of (leaf, slot) in an array with `slots` slots per leaf.
    func offset(_ leaf: Range<Int>, slot: Int, slots: Int, width: Int) -> Int {
        (leaf.lowerBound * slots + slot * leaf.count) * width
    }
}

/// The arrays of a training pass that inference does without.
final class BLASTrainingWorkspace<Scalar: BLASScalar> {
    /// (leaf, T, rows, H): tanh c (LSTM) or Q's n block (GRU).
    let kept: ScalarBuffer<Scalar>
    /// (leaf, T, rows, G·H) gradient of the pre-activations, and of Q for the GRU.
    let gateGradient: ScalarBuffer<Scalar>
    let recurrentGateGradient: ScalarBuffer<Scalar>
    /// (N, H) gradients of the states on their way down the steps.
    let hiddenGradient: ScalarBuffer<Scalar>
    let cellGradient: ScalarBuffer<Scalar>
    /// (T·rows of the largest leaf, I) inputs of a leaf gathered in processing order.
    let gatheredInput: ScalarBuffer<Scalar>
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
        let largestLeaf = plan.leaves.map(\.count).max() ?? 0
        gatheredInput = ScalarBuffer(steps * largestLeaf * shape.inputSize)
        tree = LeafTree(width: shape.gateRows * (shape.inputSize + shape.hidden + 2), plan: plan)
    }
}
