import BatonKernelABI
import BatonTensor

/// A window in progress through the layers that one rank holds, however it divides them.
protocol StageWindow: ForwardWindow {
    /// Gradient of `output`; the caller fills the steps it walks back.
    func outputGradient() -> Tensor
    /// A tensor for the gradient of the input, to be given to `backwardData`; in a window that records gradients.
    func makeInputGradient() -> Tensor
    /// Carries gradients of some steps down to `inputGradient`, from `makeInputGradient`, if that is wanted.
    func backwardData(steps: Range<Int>, inputGradient: Tensor?, states: StateGradients?, hook: StepHook) throws
    /// Adds the gradients of the parameters that `backwardData` left, after all steps have been walked back.
    func backwardWeights(hook: StepHook) throws
}

extension StageWindow {
    func makeInputGradient() -> Tensor { Tensor(uninitialized: input.shape, dtype: input.dtype) }
}

/// Gradients of states, shaped as the states a stage was given; a window uses its rows of them.
struct StateGradients {
    /// Of the final h, or h and c; nil is zero.
    var final: [Tensor?]
    /// Of the initial h, or h and c, written.
    var initial: [Tensor]
}

/// States of a stage, (entries, rows of all windows, width) each.
struct StateRows {
    /// The rows of one window.
    let rows: Range<Int>

    /// One entry of the h (kind 0) or c (kind 1) of `states`, (N, width); nil if there are none.
    func entry(_ states: [Tensor?]?, kind: Int, _ index: Int) -> Tensor? {
        guard let states, kind < states.count, let all = states[kind]?[leading: index..<index + 1] else { return nil }
        return all.reshaped([all.shape[1], all.shape[2]])[leading: rows]
    }
}
