import BatonChecks
internal import BatonKernelABI

/// One layer and direction on OpenBLAS: a second implementation of the recurrent passes, for f64 and, on request,
/// f32.
///
/// The bits of a BLAS product depend on its shape, so every product covers the rows of one leaf: of one step in
/// `forward` and `backwardData`, of a piece of `unit` steps in `backwardWeights`. A row's result then depends neither on
/// the rows of other leaves, nor on how the window is cut into chunks, nor on the process that holds the leaf.
///
/// Arrays with a step axis are in processing order; the row of step s and sample n is s·N + n.
final class BLASRecurrentSequence<Scalar: BLASScalar>: RecurrentSequence {
    let weights: BLASRecurrentWeights<Scalar>
    /// T, or the steps of the part at hand (see `WindowPart`); the workspace has room for `capacity`.
    var steps: Int
    let capacity: Int
    var continuesWindow = false
    let batch: Int
    let reverse: Bool
    let plan: LeafPlan
    var shape: RecurrentShape { weights.shape }

    /// h and c: (T+1, N, R) and (T+1, N, H) of a training pass, slot s before step s; one slot in inference.
    var hidden: ScalarBuffer<Scalar>
    var cell: ScalarBuffer<Scalar>
    /// (T, N, H) o⊙tanh c of a projected layer; (N, H) in inference.
    var unprojected: ScalarBuffer<Scalar>
    /// (T, N, G·H) activations of a training pass; (N, G·H) in inference.
    var gates: ScalarBuffer<Scalar>
    /// (N, 3H) GRU only, Q of the step at hand.
    let recurrentGates: ScalarBuffer<Scalar>
    /// Places of the rows when some do not take part in every step; else row n stands at position n.
    var leafRows: LeafRows?
    /// (N, I) by position, made when wanted: the input of a step of such rows, or a gradient before it is added.
    private(set) lazy var inputRows = ScalarBuffer<Scalar>(batch * shape.inputSize)
    /// What only a training pass needs; made by the first one.
    var training: BLASTrainingWorkspace<Scalar>?
    var order = PassOrder()
    var keepsHistory: Bool { order.keepsHistory }

    init(weights: BLASRecurrentWeights<Scalar>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan) {
        require(
            leaves.rowCount == batch,
            "BLASRecurrentSequence: the leaves hold \(leaves.rowCount) rows, the batch \(batch)")
        self.weights = weights
        self.steps = steps
        capacity = steps
        self.batch = batch
        self.reverse = reverse
        plan = leaves
        let shape = weights.shape
        hidden = ScalarBuffer(batch * shape.outputSize)
        unprojected = ScalarBuffer(shape.projection == nil ? 0 : batch * shape.hidden)
        cell = ScalarBuffer(shape.cell.hasCellState ? batch * shape.hidden : 0)
        gates = ScalarBuffer(batch * shape.gateRows)
        recurrentGates = ScalarBuffer(shape.cell == .gru ? batch * shape.gateRows : 0)
    }

    /// Time of a step: a reverse sequence starts at the end.
    func time(of step: Int) -> Int { reverse ? steps - 1 - step : step }

    /// The row of the caller's arrays that stands at a position.
    func row(at position: Int) -> Int { leafRows?.order[position] ?? position }

    /// Positions that take part in a step, by leaf.
    func leaves(of step: Int) -> [Range<Int>] { leafRows?.active(at: time(of: step)) ?? plan.leaves }

    /// Positions that take part in a step, in as few ranges as they fill.
    func ranges(of step: Int) -> [Range<Int>] { leafRows?.active(at: time(of: step)) ?? [0..<batch] }

    /// (N, R) of a slot of h, (N, H) of a slot of c, and (N, G·H) of a step of `gates`; inference has one of each.
    func hiddenState(slot: Int) -> UnsafeMutablePointer<Scalar> {
        hidden.pointer + (keepsHistory ? slot * batch * shape.outputSize : 0)
    }

    func cellState(slot: Int) -> UnsafeMutablePointer<Scalar> {
        cell.pointer + (keepsHistory && cell.count > 0 ? slot * batch * shape.hidden : 0)
    }

    func activations(step: Int) -> UnsafeMutablePointer<Scalar> {
        gates.pointer + (keepsHistory ? step * batch * shape.gateRows : 0)
    }

    /// (N, H) of a step: what the gates make, which is h itself if not projected.
    func gateOutput(step: Int) -> UnsafeMutablePointer<Scalar> {
        if shape.projection == nil { return hiddenState(slot: step + 1) }
        return unprojected.pointer + (keepsHistory ? step * batch * shape.hidden : 0)
    }
}
