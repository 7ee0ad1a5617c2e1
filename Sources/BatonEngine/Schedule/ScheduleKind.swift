import BatonChecks

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
    ///   - cuts: Numbers of parts; those left open are chosen by the number of stages.
    func schedule(
        stages: Int, replicas: Int, steps: Int, leafCount: Int, cuts: ScheduleCuts = ScheduleCuts()
    ) -> PipelineSchedule {
        // Two micro-batches per stage at most: they have fewer rows each, and kernels want rows.
        var microBatches = 1
        while microBatches * 2 * replicas <= leafCount && microBatches * 2 <= 2 * stages { microBatches *= 2 }
        microBatches = cuts.microBatches ?? microBatches
        return switch self {
        case .wavefront:
            .wavefront(
                stages: stages, chunks: cuts.chunks ?? ScheduleShape.chunks(stages: stages, steps: steps),
                microBatches: cuts.microBatches ?? 1, replicas: replicas)
        case .gpipe: .gPipe(stages: stages, microBatches: microBatches, replicas: replicas)
        case .oneForwardOneBackward:
            .oneForwardOneBackward(stages: stages, microBatches: microBatches, replicas: replicas)
        }
    }
}

/// Into how many parts a schedule cuts windows and batches, where that is not left to it. The numbers a run computes do
/// not depend on them.
public struct ScheduleCuts: Sendable, Hashable, Codable {
    /// K, chunks of time of a window; only a wavefront has them.
    public var chunks: Int?
    /// M, micro-batches of a replica's lanes.
    public var microBatches: Int?

    /// Left open.
    public init(chunks: Int? = nil, microBatches: Int? = nil) {
        self.chunks = chunks
        self.microBatches = microBatches
    }

    /// Throws unless the parts of a run are not empty.
    ///
    /// - Throws: `EngineError` naming the number that does not fit.
    public func check(_ kind: ScheduleKind, steps: Int, replicas: Int, leafCount: Int) throws(EngineError) {
        if let chunks {
            guard kind == .wavefront else {
                throw EngineError(
                    "The schedule \(kind.rawValue) has no chunks of time; leave the number out or take wavefront.")
            }
            guard (1...steps).contains(chunks) else {
                throw EngineError(
                    "A window of \(counted(steps, "step")) has 1 to \(steps) chunks, not \(chunks); choose a number of these."
                )
            }
        }
        if let microBatches, !(1...max(1, leafCount / replicas)).contains(microBatches) {
            throw EngineError(
                "A batch of \(counted(leafCount, "leaf", "leaves")) on \(counted(replicas, "replica")) has 1 to \(max(1, leafCount / replicas)) micro-batches, not \(microBatches); choose a number of these, or more lanes."
            )
        }
    }
}
