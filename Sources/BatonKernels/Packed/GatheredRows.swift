/// Rows that kernels need side by side and that lie apart in the caller's arrays: of unequal lengths, or before the times.
final class GatheredRows {
    /// Inputs of a few steps.
    let input = AlignedBuffer()
    /// h before and after a step, two slots of (N, R) that take turns.
    let hidden = AlignedBuffer()
    /// Backward: h of, or before, a step; gradients of a step's output.
    let stepHidden = AlignedBuffer()
    let outputGradient = AlignedBuffer()
    /// Input gradients of a few steps.
    let inputGradient = AlignedBuffer()
    /// Pre-activation gradients of every row's first step, and what they make of the initial h.
    let firstGates = AlignedBuffer()
    let initialHiddenGradient = AlignedBuffer()

    /// All of them.
    var buffers: [AlignedBuffer] {
        [input, hidden, stepHidden, outputGradient, inputGradient, firstGates, initialHiddenGradient]
    }
}
