public import BatonComm

/// A way to divide a training run over ranks: a layout and, where it has stages, what they do.
public struct LayoutCandidate: Sendable, Hashable, CustomStringConvertible {
    /// How the ranks divide the work.
    public var layout: ParallelLayout
    /// What stages do; without stages it has no meaning.
    public var schedule: ScheduleKind
    /// Into how many parts.
    public var cuts: ScheduleCuts
    /// Where the output layer runs; nil leaves it to `OutputPlacement`.
    public var output: OutputPlacement?

    /// All values at once.
    public init(
        _ layout: ParallelLayout, schedule: ScheduleKind = .wavefront, cuts: ScheduleCuts = ScheduleCuts(),
        output: OutputPlacement? = nil
    ) {
        self.layout = layout
        self.schedule = schedule
        self.cuts = cuts
        self.output = output
    }

    /// The same with the place of the output layer that a trainer would choose, if it was left open.
    ///
    /// - Throws: `EngineError` if there are more stages than layers, or the output layer cannot be where it should.
    public func placed(in configuration: TrainingConfiguration) throws(EngineError) -> LayoutCandidate {
        var copy = self
        if output == nil {
            copy.output = try OutputPlacement.cheaper(
                configuration.model, layout, leafCount: configuration.leafCount)
        }
        try copy.output?.check(layout, leafCount: configuration.leafCount)
        return copy
    }

    /// As it is asked for on the command line: `pp=2 wavefront, 16 chunks`.
    public var description: String {
        guard layout.stages > 1 else { return layout.description }
        var text = "\(layout) \(schedule.rawValue)"
        if let chunks = cuts.chunks { text += ", \(chunks) chunks" }
        if let microBatches = cuts.microBatches, microBatches > 1 { text += ", \(microBatches) micro-batches" }
        return output == .spread ? text + ", output layer spread" : text
    }

    /// Every product of replicas, stages and shards that so many ranks can train, with every schedule, cut in a few ways,
    /// with the output layer on the last stage and on all.
    ///
    /// - Parameters:
    ///   - schedule: only this one; nil is all.
    ///   - output: only this place of the output layer; nil is both.
    ///   - recomputes: whether gates are computed again, which shards cannot.
    public static func all(
        _ configuration: TrainingConfiguration, ranks: Int, schedule only: ScheduleKind? = nil,
        output: OutputPlacement? = nil, recomputes: Bool = false
    ) -> [LayoutCandidate] {
        var result: [LayoutCandidate] = []
        let products = (1...max(1, ranks)).flatMap { stages in (1...max(1, ranks)).map { (stages, $0) } }
        for (stages, shards) in products where ranks % (stages * shards) == 0 && !(recomputes && shards > 1) {
            let layout = ParallelLayout(replicas: ranks / stages / shards, stages: stages, shards: shards)
            guard (try? configuration.check(layout)) != nil else { continue }
            guard stages > 1 else {
                result.append(LayoutCandidate(layout, output: .lastStage))
                continue
            }
            let places = OutputPlacement.allCases.filter { place in
                (output == nil || place == output)
                    && (try? place.check(layout, leafCount: configuration.leafCount)) != nil
            }
            for schedule in ScheduleKind.allCases where only == nil || schedule == only {
                result += Self.cuts(schedule, stages: stages).flatMap { cuts in
                    places.map { LayoutCandidate(layout, schedule: schedule, cuts: cuts, output: $0) }
                }.filter { candidate in
                    (try? candidate.cuts.check(
                        schedule, steps: configuration.stepsPerWindow, replicas: layout.replicas,
                        leafCount: configuration.leafCount)) != nil
                }
            }
        }
        return result
    }

    /// Into how many parts the global batch is cut: replicas times micro-batches.
    func parts(of configuration: TrainingConfiguration) -> Int {
        layout.replicas * (schedule(of: configuration)?.shape.microBatches ?? 1)
    }

    /// What stages do; nil without stages.
    func schedule(of configuration: TrainingConfiguration) -> PipelineSchedule? {
        guard layout.stages > 1 else { return nil }
        let plain = schedule.schedule(
            stages: layout.stages, replicas: layout.replicas, steps: configuration.stepsPerWindow,
            leafCount: configuration.leafCount, cuts: cuts)
        return output == .spread ? plain.spreadingOutput() : plain
    }

    /// Rows of the output layer by stage and micro-batch, where the stages share it.
    func outputParts(of configuration: TrainingConfiguration) -> [[OutputParts.Part]] {
        OutputParts(
            lanes: configuration.batch, leafCount: configuration.leafCount, layout: layout,
            place: ParallelLayout.Place(replica: Self.fullest(of: layout.replicas, configuration)),
            microBatches: schedule(of: configuration)?.shape.microBatches ?? 1
        ).parts
    }

    /// The part with the most lanes.
    static func fullest(of parts: Int, _ configuration: TrainingConfiguration) -> Int {
        (0..<parts).max {
            lanes($0, of: parts, configuration) < lanes($1, of: parts, configuration)
        } ?? 0
    }

    /// Lanes of a part.
    static func lanes(_ part: Int, of parts: Int, _ configuration: TrainingConfiguration) -> Int {
        RankShare(lanes: configuration.batch, leafCount: configuration.leafCount, rank: part, size: parts).lanes.count
    }

    private static func cuts(_ schedule: ScheduleKind, stages: Int) -> [ScheduleCuts] {
        switch schedule {
        case .wavefront:
            [1, 2].flatMap { microBatches in
                [2, 4, 8, 16].map { ScheduleCuts(chunks: $0 * stages, microBatches: microBatches) }
            }
        case .gpipe, .oneForwardOneBackward:
            [1, 2, 4, 8].map { ScheduleCuts(microBatches: $0) }
        }
    }
}
