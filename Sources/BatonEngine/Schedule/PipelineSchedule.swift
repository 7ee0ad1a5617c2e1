/// A schedule of one step as data: for every rank the list of its actions, in order. Rank d·P + s runs stage s of
/// replica d.
///
/// | Schedule | Forward | Backward | Efficiency at equal costs, P stages |
/// |---|---|---|---|
/// | `gPipe` | all micro-batches | all, then their weights at once | M / (M + P − 1) |
/// | `oneForwardOneBackward` | P − s ahead | as soon as possible | M / (M + P − 1), less memory |
/// | `wavefront` | chunks of time | chunks of time, weights last | 3K / (3K + 2(P − 1)), M = 1 |
///
/// Source: GPipe, arXiv:1811.06965; PipeDream-Flush (1F1B), arXiv:2006.09503; deferred weight gradients as in Zero
/// Bubble, arXiv:2401.10241. The wavefront over time is Baton's: a recurrent layer can start as soon as the one below
/// has finished a chunk of time, so a pipeline is full without cutting the batch.
public struct PipelineSchedule: Sendable, Hashable {
    /// The units it is made of.
    public private(set) var shape: ScheduleShape
    /// Actions of every rank.
    public var ranks: [[ScheduleAction]]

    /// A schedule given as lists; `ScheduleValidator` says whether it is one.
    public init(shape: ScheduleShape, ranks: [[ScheduleAction]]) {
        self.shape = shape
        self.ranks = ranks
    }

    /// The same list of actions per stage in every replica, with the sum over replicas at the end.
    init(shape: ScheduleShape, stages: [[ScheduleAction]]) {
        let sums = shape.isTraining && shape.replicas > 1
        let lists = stages.enumerated().map { stage, list in
            list + (sums ? [ScheduleAction(.gradientSum, stage: stage)] : [])
        }
        self.init(shape: shape, ranks: (0..<shape.replicas).flatMap { _ in lists })
    }

    /// All forward passes, then all backward passes in reverse order.
    public static func gPipe(stages: Int, microBatches: Int, replicas: Int = 1) -> PipelineSchedule {
        let shape = ScheduleShape(stages: stages, microBatches: microBatches, replicas: replicas)
        return PipelineSchedule(
            shape: shape,
            stages: (0..<stages).map { stage in
                (0..<microBatches).map { ScheduleAction(.forward, stage: stage, microBatch: $0) }
                    + (0..<microBatches).reversed().flatMap { backward(stage: stage, microBatch: $0) }
            })
    }

    /// After a warm-up one forward and one backward pass in turn, so that stage s holds at most P − s micro-batches.
    public static func oneForwardOneBackward(
        stages: Int, microBatches: Int, replicas: Int = 1
    ) -> PipelineSchedule {
        let shape = ScheduleShape(stages: stages, microBatches: microBatches, replicas: replicas)
        return PipelineSchedule(
            shape: shape,
            stages: (0..<stages).map { stage in
                let ahead = min(microBatches, stages - stage - 1)
                var list = (0..<ahead).map { ScheduleAction(.forward, stage: stage, microBatch: $0) }
                for microBatch in 0..<microBatches {
                    if microBatch + ahead < microBatches {
                        list.append(ScheduleAction(.forward, stage: stage, microBatch: microBatch + ahead))
                    }
                    list += backward(stage: stage, microBatch: microBatch)
                }
                return list
            })
    }

    /// Chunks of time run through the stages as a wave, forward and back; weight gradients fill the gaps and the end.
    ///
    /// With one micro-batch the lists are written down directly. With more, every stage takes of what is ready, at
    /// equal costs, the most urgent; ranks then have to keep all their sends open, as executors do.
    public static func wavefront(
        stages: Int, chunks: Int, microBatches: Int = 1, replicas: Int = 1
    ) -> PipelineSchedule {
        let shape = ScheduleShape(stages: stages, microBatches: microBatches, chunks: chunks, replicas: replicas)
        guard microBatches == 1 else {
            return PipelineSchedule(shape: shape, stages: GreedySchedule(shape).lists())
        }
        return PipelineSchedule(
            shape: shape,
            stages: (0..<stages).map { stage in
                (0..<chunks).map { ScheduleAction(.forward, stage: stage, chunk: $0) }
                    + (0..<chunks).reversed().map { ScheduleAction(.backward, stage: stage, chunk: $0) }
                    + [ScheduleAction(.weightGradient, stage: stage)]
            })
    }

    /// The same with the output layer on all stages: the last one runs its rows behind every chunk, the others run theirs
    /// of a micro-batch before they walk it back, those that came before in their order.
    ///
    /// This is the latest moment. An executor runs them earlier where a stage would only wait, which decides no numbers.
    public func spreadingOutput() -> PipelineSchedule {
        var result = self
        result.shape.spreadsOutput = true
        let last = shape.stages - 1
        for rank in ranks.indices {
            let stage = shape.stage(ofRank: rank)
            func output(_ forward: ScheduleAction) -> ScheduleAction {
                ScheduleAction(.output, stage: stage, microBatch: forward.microBatch, chunk: forward.chunk)
            }
            if stage == last {
                result.ranks[rank] = ranks[rank].flatMap { $0.kind == .forward ? [$0, output($0)] : [$0] }
                continue
            }
            // In the order in which the last stage finishes the chunks.
            var open = ranks[rank - stage + last].filter { $0.kind == .forward }.map(output)
            result.ranks[rank] = ranks[rank].flatMap { action in
                let due = action.kind == .backward ? open.lastIndex { $0.microBatch == action.microBatch } : nil
                guard let due else { return [action] }
                defer { open.removeFirst(due + 1) }
                return Array(open[...due]) + [action]
            }
        }
        return result
    }

    /// A stream of sequences (the micro-batches) in chunks of time, forward only.
    public static func inference(
        stages: Int, chunks: Int, sequences: Int = 1, replicas: Int = 1
    ) -> PipelineSchedule {
        let shape = ScheduleShape(
            stages: stages, microBatches: sequences, chunks: chunks, replicas: replicas, isTraining: false)
        return PipelineSchedule(
            shape: shape,
            stages: (0..<stages).map { stage in
                (0..<sequences).flatMap { sequence in
                    (0..<chunks).map { ScheduleAction(.forward, stage: stage, microBatch: sequence, chunk: $0) }
                }
            })
    }

    private static func backward(stage: Int, microBatch: Int) -> [ScheduleAction] {
        [
            ScheduleAction(.backward, stage: stage, microBatch: microBatch),
            ScheduleAction(.weightGradient, stage: stage, microBatch: microBatch),
        ]
    }
}
