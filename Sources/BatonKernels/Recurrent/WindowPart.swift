import BatonKernelABI

/// What holds memory for the passes of a window.
protocol Workspace {
    /// Bytes it holds.
    var workspaceBytes: Int { get }
}

/// A sequence that can stand for a part of a longer window, one part after the other.
protocol WindowPart<Scalar>: RecurrentSequence, Workspace {
    /// Steps of the part at hand; at most as many as the sequence was made for.
    var steps: Int { get set }
    /// Whether steps follow the last one. The backward pass then goes on from the carries it left behind, not from
    /// gradients of final states; `keepFollowing` must have been called in between.
    var continuesWindow: Bool { get set }
    /// Steps that a part's length must be a multiple of, unless it is the first of its window.
    static var unit: Int { get }
    /// After a part was walked back: keeps what the part before it needs of its first step.
    func keepFollowing()
    /// Continues the chain of every leaf by the part's steps, after they were walked back: one destination per leaf,
    /// which holds the chain of the steps that follow.
    func continueWeights(
        _ leafSums: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook)
}
