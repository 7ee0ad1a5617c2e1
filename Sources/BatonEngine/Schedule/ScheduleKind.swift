/// The schedules a training run can be asked for by name.
public enum ScheduleKind: String, Sendable, Hashable, CaseIterable, Codable {
    /// Chunks of time through the stages, weight gradients last.
    case wavefront
    /// Micro-batches, all forward, then all backward.
    case gpipe
    /// Micro-batches, forward and backward in turn.
    case oneForwardOneBackward = "1f1b"

    /// The schedule for a pipeline.
    ///
    /// - Parameters:
    ///   - steps: T of a window.
    ///   - leafCount: leaves of the global batch: replicas times micro-batches cannot be more.
    func schedule(stages: Int, replicas: Int, steps: Int, leafCount: Int) -> PipelineSchedule {
        // The bubble of a wavefront is (P − 1)/1.5 chunks of K: 4 % for two stages at 16. More chunks mean more
        // messages and input products of fewer rows.
        let chunks = min(steps, 8 * stages)
        // Two micro-batches per stage at most: they have fewer rows each, and kernels want rows.
        var microBatches = 1
        while microBatches * 2 * replicas <= leafCount && microBatches * 2 <= 2 * stages { microBatches *= 2 }
        return switch self {
        case .wavefront: .wavefront(stages: stages, chunks: chunks, replicas: replicas)
        case .gpipe: .gPipe(stages: stages, microBatches: microBatches, replicas: replicas)
        case .oneForwardOneBackward:
            .oneForwardOneBackward(stages: stages, microBatches: microBatches, replicas: replicas)
        }
    }
}
