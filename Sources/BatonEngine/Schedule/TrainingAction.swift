/// One thing a rank does in a training step. A schedule is a list of them; the trainer executes any valid list, so
/// that pipeline schedules, which interleave chunks of several stages, are further lists and not further loops.
public enum TrainingAction: Sendable, Hashable {
    /// Runs the model on the rank's lanes of the window and scores it.
    case forward
    /// Walks the tape back; buckets of gradients leave as they become final.
    case backward
    /// Waits for the sums of all ranks.
    case combineGradients
    /// Clips and updates the parameters.
    case update

    /// A step of data-parallel training.
    public static let dataParallel: [TrainingAction] = [.forward, .backward, .combineGradients, .update]
}
