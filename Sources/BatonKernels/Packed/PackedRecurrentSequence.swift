import BatonKernelABI

/// One layer and direction on the lane kernels: workspace and addressing; the passes are in the extensions.
///
/// Layout of the workspace, units padded to whole lanes (H′), rows (t, n) = t·N + n:
///
///     gates: [T·N][saved gates][H′]  saved gates, overwritten by the gradients of the pre-activations;
///                                    rows lie a line further apart than that (`RecurrentShape.gateRowStride`)
///     cell:  [T+1][N][H′]            c; slot 0 before the first step, slot s+1 after step s
///     carry: [N][H′], [N][R′]        gradients of c and h on their way to the previous step
///     unprojected: [T·N][H]          o⊙tanh c of a projected layer, and the gradients of what it is projected to
///
/// Inference keeps only a few steps of gates, one of what is projected, and one slot of c. In a window of unequal
/// lengths the rows of a time stand in the order of `SequenceLengths`, and only those that take part have gates
/// (`rowsBefore` counts them).
///
/// A part of the units has the same layout and works on its own columns of it. Gates of training are then in memory that
/// all parts see, since a backward step needs the gradients of all of them; so are both sides of a projection.
final class PackedRecurrentSequence: RecurrentSequence {
    let weights: PackedRecurrentWeights
    /// T, or the steps of the part at hand (see `WindowPart`).
    var steps: Int
    var continuesWindow = false
    let batch: Int
    let reverse: Bool

    /// Gates that no other part sees.
    let gateBuffer = AlignedBuffer()
    /// What the other parts see too: gates of a training pass, then what is projected; of the window under way.
    var shared: UnsafeMutablePointer<Float>?
    /// Whether the window under way is one of training.
    var keepsGates: Bool { order.keepsHistory }
    let cellBuffer = AlignedBuffer()
    let cellCarry = AlignedBuffer()
    let hiddenCarry = AlignedBuffer()
    let unprojectedBuffer = AlignedBuffer()
    let projectedGradientBuffer = AlignedBuffer()
    /// Rows of the input and of h in the precision of the weights, if that is reduced.
    let convertedInput = AlignedBuffer()
    let convertedHidden = AlignedBuffer()
    /// x·W of the distinct rows of an input, in the layout of the gates.
    let distinctProducts = AlignedBuffer()
    let scratch = AlignedBuffer()
    let gradientBuffers = WeightGradientBuffers()
    /// Gradients of the pre-activations of the step that follows the last one, if the window goes on there.
    let followingGates = AlignedBuffer()
    /// What a window keeps beside these whose rows do not lie as kernels need them.
    private(set) lazy var gathered = GatheredRows()
    var order = PassOrder()
    /// Size in bytes of the own weights above which they are large (see `fusesProducts`).
    var largeWeights = 16 << 20
    /// Whether the last step of few rows took its panels from the last to the first.
    private var descended = false

    init(weights: PackedRecurrentWeights, steps: Int, batch: Int, reverse: Bool) {
        self.weights = weights
        self.steps = steps
        self.batch = batch
        self.reverse = reverse
    }

    var cell: RecurrentKind { weights.shape.cell }
    var hidden: Int { weights.shape.hidden }
    /// R, the width of h: H, or P if projected.
    var outputSize: Int { weights.shape.outputSize }
    var isProjected: Bool { weights.shape.projection != nil }
    var isWhole: Bool { weights.shape.shard.isWhole }
    var lanes: Int { weights.division.lanes }
    var unitStrips: Int { weights.unitStrips }
    var table: KernelTable { weights.table }
    /// Gates kept per unit: the GRU saves the hidden product of n beside r, z, n.
    var savedGates: Int { weights.shape.savedGates }
    /// H′, the hidden size padded to whole lanes.
    var paddedHidden: Int { unitStrips * lanes }
    /// R′.
    var paddedOutput: Int { weights.division.strips(outputSize) * lanes }
    /// Distance between rows of gates.
    var gateRowStride: Int { weights.shape.gateRowStride(lanes: lanes) }

    /// Time index that step s handles.
    func time(_ step: Int) -> Int { reverse ? steps - 1 - step : step }

    /// The gates.
    var gates: UnsafeMutablePointer<Float> { keepsGates ? shared ?? gateBuffer.base : gateBuffer.base }

    /// o⊙tanh c of a projected layer, (rows, H): in training in the rows of the gates, in inference of the step under way.
    var unprojected: UnsafeMutablePointer<Float> {
        shared.map { $0 + (keepsGates ? steps * batch * gateRowStride : 0) } ?? unprojectedBuffer.base
    }

    /// The gradient of h of a projected layer, (rows, R) in the rows of the gates.
    var projectedGradient: UnsafeMutablePointer<Float> {
        shared == nil ? projectedGradientBuffer.base : unprojected + steps * batch * hidden
    }

    /// Memory for the gates of so many rows, and for what is projected.
    func reserveRows(_ count: Int) {
        if shared == nil || !keepsGates { gateBuffer.reserve(count * gateRowStride) }
        if isProjected, shared == nil { unprojectedBuffer.reserve((keepsGates ? count : batch) * hidden) }
    }

    /// Memory for the gradient of h of so many rows of a projected layer.
    func reserveProjectedGradient(_ count: Int) {
        if isProjected, shared == nil { projectedGradientBuffer.reserve(count * outputSize) }
    }

    /// Whether the next step takes its panels from the last to the first. Steps of few rows wait for weights: each begins
    /// with the panels the one before ended with, which the second-level cache still holds, also that of another call.
    func descendsNext(rows: Int) -> Bool {
        guard rows <= ChainOperand.fewRows else { return false }
        descended.toggle()
        return descended
    }

    /// A chain of no terms.
    var emptyChain: ChainOperand { ChainOperand(base: UnsafePointer(gates), rowStride: 0, depth: 0) }

    /// (N, width) rows, nil for zero, to padded rows; those in the order of `lengths`.
    func pad(
        _ source: UnsafePointer<Float>?, into target: UnsafeMutablePointer<Float>, width: Int,
        _ lengths: SequenceLengths?
    ) {
        let padded = weights.division.strips(width) * lanes
        for position in 0..<batch {
            let out = target + position * padded
            let row = lengths?.order[position] ?? position
            if let source { out.update(from: source + row * width, count: width) }
            let filled = source == nil ? 0 : width
            (out + filled).update(repeating: 0, count: padded - filled)
        }
    }

    /// Columns of padded rows, in the order of `lengths`, to (N, width) rows.
    func unpad(
        _ source: UnsafePointer<Float>, columns: Range<Int>, into target: UnsafeMutablePointer<Float>, width: Int,
        _ lengths: SequenceLengths?
    ) {
        let padded = weights.division.strips(width) * lanes
        for position in 0..<batch {
            let row = lengths?.order[position] ?? position
            (target + row * width + columns.lowerBound).update(
                from: source + position * padded + columns.lowerBound, count: columns.count)
        }
    }
}
