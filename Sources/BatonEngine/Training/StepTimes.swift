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

    /// Adds the times of another step.
    public static func += (left: inout StepTimes, right: StepTimes) {
        left.forward += right.forward
        left.backward += right.backward
        left.combine += right.combine
        left.update += right.update
        left.hash += right.hash
    }

    /// The mean of a sum over some steps.
    public static func / (sum: StepTimes, count: Double) -> StepTimes {
        var mean = StepTimes()
        mean.forward = sum.forward / count
        mean.backward = sum.backward / count
        mean.combine = sum.combine / count
        mean.update = sum.update / count
        mean.hash = sum.hash / count
        return mean
    }
}
