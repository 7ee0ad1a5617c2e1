public import BatonKernelABI

/// Weights of one layer and direction in the form a backend computes with.
///
/// Built once and refreshed by `update` after every change of the parameters, never per step.
public protocol RecurrentWeights<Scalar>: AnyObject {
    associatedtype Scalar
    /// What the weights are those of.
    var shape: RecurrentShape { get }
    /// Reads the parameters for forward passes. `training` also calls `prepareBackward`.
    func update(from parameters: RecurrentParameterPointers<Scalar>, training: Bool)
    /// Reads the parameters of the last update once more, for `backwardData`: at the latest before it.
    func prepareBackward(from parameters: RecurrentParameterPointers<Scalar>)
}

/// One layer and direction over a window of T steps and N rows: the three passes of a recurrent layer on an
/// explicit workspace that the object owns and reuses.
///
/// Steps are numbered in processing order; a reverse sequence handles time T−1−s in step s. `forward` must be
/// called with ascending, `backwardData` with descending, adjoining ranges of steps, so that a schedule may cut
/// the window into chunks; bits do not depend on the cuts. `backwardData` needs a forward pass with
/// `training: true` of its own: it leaves gradients where the gates were; `backwardWeights` a complete `backwardData`.
///
/// A sequence of a part of the units (`RecurrentShape.shard`) reads what all parts made in the step before, so its hook
/// has to return only when the other parts have come as far; of a projected layer it is called in the middle of a step too.
/// It writes its own columns of `output` (by R), of the final c (by H), of the gradients of initial states (by R and H) and
/// of the input's gradient (by I), and its own rows of the weights' gradients; states that are given and the final h are
/// whole.
public protocol RecurrentSequence<Scalar>: AnyObject {
    associatedtype Scalar
    /// Runs the steps. `training` keeps what the backward passes need.
    func forward(steps: Range<Int>, _ arguments: RecurrentForward<Scalar>, training: Bool, hook: StepHook)
    /// Gradients of input and states for the steps, given the same forward arguments.
    func backwardData(
        steps: Range<Int>, _ arguments: RecurrentBackwardData<Scalar>, forward: RecurrentForward<Scalar>,
        hook: StepHook)
    /// Gradients of the parameters over the whole window, added to one set of destinations per subtree of the plan.
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook)
}
