import BatonComm
public import BatonKernels

/// Predicts step time and memory of layouts from measured costs, by running their real schedules through the
/// simulator.
///
/// A step is: beginning the windows, the schedule (without stages: forward, backward and weight gradients in a row, then
/// the sum over replicas), and the update of the slowest rank. A rank of few lanes waits for one of many, so the
/// replica with the most lanes counts.
public struct LayoutPlanner: Sendable {
    /// What is trained.
    public var configuration: TrainingConfiguration
    /// What it costs.
    public var costs: MachineCosts
    /// Whether gates are computed again, which the costs then include; nil keeps them.
    public var recomputation: Recomputation?

    /// A planner for one training on one machine.
    ///
    /// - Parameters:
    ///   - costs: as `CostProbe.measure` found them, for the candidates that will be asked about.
    ///   - recomputation: as it was when they were measured.
    public init(_ configuration: TrainingConfiguration, costs: MachineCosts, recomputation: Recomputation? = nil) {
        self.configuration = configuration
        self.costs = costs
        self.recomputation = recomputation
    }

    /// The forecasts of candidates, the fastest first.
    ///
    /// - Throws: `EngineError` or `ScheduleError` if a candidate does not fit the configuration.
    public func forecasts(_ candidates: [LayoutCandidate]) throws -> [LayoutForecast] {
        try candidates.map(forecast).sorted { $0.secondsPerStep < $1.secondsPerStep }
    }

    /// What to expect of one layout.
    ///
    /// - Throws: `EngineError` or `ScheduleError` if it does not fit the configuration.
    public func forecast(_ asked: LayoutCandidate) throws -> LayoutForecast {
        let layout = asked.layout
        try configuration.check(layout)
        let candidate = try asked.placed(in: configuration)
        let isSpread = candidate.output == .spread
        let partition = try StagePartition(
            configuration.model, stages: layout.stages, output: candidate.output ?? .lastStage)
        try candidate.cuts.check(
            candidate.schedule, steps: configuration.stepsPerWindow, replicas: layout.replicas,
            leafCount: configuration.leafCount)
        let pipeline = candidate.schedule(of: configuration)
        let parts = candidate.parts(of: configuration)
        let rows = LayoutCandidate.lanes(
            LayoutCandidate.fullest(of: parts, configuration), of: parts, configuration)
        let outputRows =
            isSpread ? candidate.outputParts(of: configuration).map { $0.map(\.rows.count) } : []
        let stages = partition.stages.enumerated().map { number, layers in
            StageLoad(
                layers, rows: rows, outputRows: isSpread ? outputRows[number] : nil, shards: layout.shards, self)
        }
        let sums = stages.map { sumSeconds($0, layout, isSpread: isSpread) }
        var (seconds, bubble) = (0.0, 0.0)
        if let pipeline {
            let outcome = try simulate(pipeline, stages, sums, rows: rows)
            seconds = outcome.makespan
            bubble = outcome.bubble
            // The sum of a spread output layer runs on all ranks, with one replica as with many.
            if layout.replicas == 1 { seconds += sums.max() ?? 0 }
        } else {
            seconds = stages[0].whole(steps: configuration.stepsPerWindow) + sums[0]
        }
        let microBatches = Double(pipeline?.shape.microBatches ?? 1)
        // Stages begin at once, and each waits for the norm of all.
        let begin = stages.map { microBatches * $0.begin }.max() ?? 0
        let update = stages.map { $0.held * costs.update + $0.parameters * costs.hash }.max() ?? 0
        seconds += begin + update + (layout.rankCount > 1 ? 4 * costs.latency : 0)
        let tokens = Double(configuration.batch * configuration.stepsPerWindow)
        let memory = try MemoryForecast(
            configuration: configuration, candidate: candidate, schedule: pipeline, recomputation: recomputation
        ).bytes()
        return LayoutForecast(
            candidate: candidate, secondsPerStep: seconds, tokensPerSecond: tokens / seconds,
            bytesPerRank: memory + costs.baseBytes, bubble: bubble, sumShare: (sums.max() ?? 0) / seconds,
            rows: rows, times: times(stages[0], begin: begin, total: seconds, microBatches))
    }

    /// What the first rank does in a step; what is left of it, it waits.
    private func times(
        _ stage: StageLoad, begin: Double, total: Double, _ microBatches: Double
    ) -> StepTimes {
        let steps = Double(configuration.stepsPerWindow) * microBatches
        var times = StepTimes()
        times.forward = begin + steps * stage.forward
        times.backward = steps * (stage.backward + stage.weights)
        for cost in stage.output {
            times.forward += Double(configuration.stepsPerWindow) * (cost.forward + cost.backward)
        }
        times.update = stage.held * costs.update
        times.hash = stage.parameters * costs.hash
        times.combine = max(0, total - times.forward - times.backward - times.update - times.hash)
        return times
    }

    /// Sums of the gradients of one stage: over its replicas, of a spread output layer over all ranks.
    private func sumSeconds(_ stage: StageLoad, _ layout: ParallelLayout, isSpread: Bool) -> Double {
        let output = isSpread ? configuration.model.outputParameterCount : 0
        let ranks = layout.replicas * layout.stages
        return sumSeconds(bytes: 4 * (stage.held - output), replicas: layout.replicas)
            + (isSpread ? sumSeconds(bytes: 4 * output, replicas: ranks) : 0)
    }

    /// A sum of the gradients of one stage over its replicas.
    func sumSeconds(bytes: Double, replicas: Int) -> Double {
        guard replicas > 1 else { return 0 }
        // A number of replicas that was not measured costs as the nearest that was.
        let nearest = costs.sumByte.keys.min { abs($0 - replicas) < abs($1 - replicas) }
        return costs.sum + bytes * (nearest.flatMap { costs.sumByte[$0] } ?? 0)
    }

    private func simulate(
        _ pipeline: PipelineSchedule, _ stages: [StageLoad], _ sums: [Double], rows: Int
    ) throws(ScheduleError) -> ScheduleSimulator.Outcome {
        let shape = pipeline.shape
        let steps = Double(configuration.stepsPerWindow) / Double(shape.chunks)
        let bytesPerRow = 4 * Double(configuration.model.hidden) * steps
        let messageBytes = bytesPerRow * Double(rows)
        var simulated = ScheduleSimulator.Costs()
        simulated.ofStages = stages.enumerated().map { number, stage in
            // Copying a message costs the rank that sends it and the one that receives it.
            let neighbours = (number > 0 ? 1.0 : 0) + (number + 1 < stages.count ? 1 : 0)
            let copies = neighbours * messageBytes * costs.byte
            // The last stage sends h of the rows of all others and gets the gradients; they are copied on both ends.
            let others = Double(rows) - Double(stage.outputRows.max() ?? rows)
            let spread = shape.spreadsOutput && number + 1 == stages.count ? 2 * others * bytesPerRow * costs.byte : 0
            return ScheduleSimulator.StageCosts(
                forward: stage.call + steps * stage.forward + copies + spread,
                backward: stage.call + steps * stage.backward + copies + spread,
                weightGradient: Double(configuration.stepsPerWindow) * stage.weights, gradientSum: sums[number],
                output: stage.output.enumerated().map { part, cost in
                    let moved = number + 1 == stages.count ? 0 : 2 * Double(stage.outputRows[part]) * bytesPerRow
                    return cost.call + steps * (cost.forward + cost.backward) + moved * costs.byte
                })
        }
        // Messages of more than a page move only while the sender polls, which it does after each time step.
        let poll = messageBytes > 4096 ? stages.map { max($0.forward, $0.backward) }.max() ?? 0 : 0
        simulated.message = costs.latency + poll
        return try ScheduleSimulator(costs: simulated, lookahead: ScheduleExecutor.lookahead(pipeline.shape)).run(
            pipeline)
    }
}
