/// Where the wall time of one training step went on one rank, seconds. What is missing from the sum is bookkeeping.
public struct StepTimes: Sendable, Hashable {
    /// Reading the window, the model and the loss.
    public var forward = 0.0
    /// Walking the tape back, with the sums that move meanwhile.
    public var backward = 0.0
    /// Waiting for the sums of gradients and losses that were not hidden behind `backward`.
    public var combine = 0.0
    /// Norm, clipping and optimizer.
    public var update = 0.0
    /// Hash of the parameters; rank 0 only.
    public var hash = 0.0

    /// Nothing yet.
    public init() {}
}
