import BatonKernelABI

/// One layer and direction on the lane kernels: workspace and addressing; the passes are in the extensions.
///
/// Layout of the workspace, units padded to whole lanes (H′), rows (t, n) = t·N + n:
///
///     gates: [T·N][saved gates][H′]  saved gates, overwritten by the gradients of the pre-activations
///     cell:  [T+1][N][H′]            c; slot 0 before the first step, slot s+1 after step s
///     carry: [N][H′]                 gradients of c and h on their way to the previous step
///
/// Inference keeps only a few steps of gates and one slot of c.
final class PackedRecurrentSequence: RecurrentSequence {
    let weights: PackedRecurrentWeights
    let steps: Int
    let batch: Int
    let reverse: Bool

    let gateBuffer = AlignedBuffer()
    let cellBuffer = AlignedBuffer()
    let cellCarry = AlignedBuffer()
    let hiddenCarry = AlignedBuffer()
    let gradientBuffers = WeightGradientBuffers()
    /// Whether the workspace holds a training forward pass.
    var holdsTrainingState = false

    init(weights: PackedRecurrentWeights, steps: Int, batch: Int, reverse: Bool) {
        self.weights = weights
        self.steps = steps
        self.batch = batch
        self.reverse = reverse
    }

    var cell: RecurrentKind { weights.shape.cell }
    var hidden: Int { weights.shape.hidden }
    var lanes: Int { weights.packing.lanes }
    var unitStrips: Int { weights.unitStrips }
    var table: KernelTable { weights.table }
    /// Gates kept per unit: the GRU saves the hidden product of n beside r, z, n.
    var savedGates: Int { cell == .gru ? 4 : cell.gateCount }
    /// H′, the hidden size padded to whole lanes.
    var paddedHidden: Int { unitStrips * lanes }
    /// Distance between rows of gates. One line more than the gates need: rows a power of two apart would fall on
    /// the same few cache sets.
    var gateRowStride: Int { savedGates * paddedHidden + 16 }

    /// Time index that step s handles.
    func time(_ step: Int) -> Int { reverse ? steps - 1 - step : step }

    /// A chain of no terms.
    var emptyChain: ChainOperand { ChainOperand(base: UnsafePointer(gateBuffer.base), rowStride: 0, depth: 0) }

    /// (N, H) rows, nil for zero, to padded rows.
    func pad(_ source: UnsafePointer<Float>?, into target: UnsafeMutablePointer<Float>) {
        for row in 0..<batch {
            let out = target + row * paddedHidden
            if let source { out.update(from: source + row * hidden, count: hidden) }
            let filled = source == nil ? 0 : hidden
            (out + filled).update(repeating: 0, count: paddedHidden - filled)
        }
    }

    /// Padded rows to (N, H) rows.
    func unpad(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
        for row in 0..<batch {
            (target + row * hidden).update(from: source + row * paddedHidden, count: hidden)
        }
    }
}
