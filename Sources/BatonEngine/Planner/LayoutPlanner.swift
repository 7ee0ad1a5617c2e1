import BatonComm
import BatonKernels

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

    /// All values at once.
    public init(_ configuration: TrainingConfiguration, costs: MachineCosts) {
        self.configuration = configuration
        self.costs = costs
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
    public func forecast(_ candidate: LayoutCandidate) throws -> LayoutForecast {
        let layout = candidate.layout
        try configuration.check(layout)
        let partition = try StagePartition(configuration.model, stages: layout.stages)
        try candidate.cuts.check(
            candidate.schedule, steps: configuration.stepsPerWindow, replicas: layout.replicas,
            leafCount: configuration.leafCount)
        let pipeline = candidate.schedule(of: configuration)
        let parts = candidate.parts(of: configuration)
        let rows = LayoutCandidate.lanes(
            LayoutCandidate.fullest(of: parts, configuration), of: parts, configuration)
        let stages = partition.stages.map { StageLoad($0, rows: rows, shards: layout.shards, self) }
        let sums = stages.map { sumSeconds(bytes: 4 * $0.parameters, replicas: layout.replicas) }
        var (seconds, bubble) = (0.0, 0.0)
        if let pipeline {
            let outcome = try simulate(pipeline, stages, sums, rows: rows)
            seconds = outcome.makespan
            bubble = outcome.bubble
        } else {
            seconds = stages[0].whole(steps: configuration.stepsPerWindow) + sums[0]
        }
        let microBatches = Double(pipeline?.shape.microBatches ?? 1)
        // Stages begin at once, and each waits for the norm of all.
        seconds += stages.map { microBatches * $0.begin }.max() ?? 0
        seconds += stages.map { $0.parameters * (costs.update + costs.hash) }.max() ?? 0
        if layout.rankCount > 1 { seconds += 4 * costs.latency }
        let tokens = Double(configuration.batch * configuration.stepsPerWindow)
        return LayoutForecast(
            candidate: candidate, secondsPerStep: seconds, tokensPerSecond: tokens / seconds,
            bytesPerRank: MemoryForecast(configuration, layout: layout, schedule: pipeline).bytes + costs.baseBytes,
            bubble: bubble, sumShare: (sums.max() ?? 0) / seconds, rows: rows)
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
        let messageBytes = 4 * Double(rows * configuration.model.hidden) * steps
        var simulated = ScheduleSimulator.Costs()
        simulated.ofStages = stages.enumerated().map { number, stage in
            // Copying a message costs the rank that sends it and the one that receives it.
            let neighbours = (number > 0 ? 1.0 : 0) + (number + 1 < stages.count ? 1 : 0)
            let copies = neighbours * messageBytes * costs.byte
            return ScheduleSimulator.StageCosts(
                forward: stage.call + steps * stage.forward + copies,
                backward: stage.call + steps * stage.backward + copies,
                weightGradient: Double(configuration.stepsPerWindow) * stage.weights, gradientSum: sums[number])
        }
        // Messages of more than a page move only while the sender polls, which it does after each time step.
        let poll = messageBytes > 4096 ? stages.map { max($0.forward, $0.backward) }.max() ?? 0 : 0
        simulated.message = costs.latency + poll
        return try ScheduleSimulator(costs: simulated).run(pipeline)
    }
}

/// What the layers of one stage cost together.
struct StageLoad {
    var begin = 0.0
    var forward = 0.0
    var backward = 0.0
    var weights = 0.0
    var call = 0.0
    /// Parameters of the stage.
    var parameters = 0.0

    init(_ layers: Range<Int>, rows: Int, shards: Int, _ planner: LayoutPlanner) {
        let model = planner.configuration.model
        for layer in layers {
            let cost = planner.costs.layer(.init(layer: layer, of: model.layers), rows: rows, shards: shards)
            begin += cost.begin
            forward += cost.forward
            backward += cost.backward
            weights += cost.weights
            call += cost.call
        }
        parameters = model.parameterCount(layers: layers)
    }

    /// A window on a rank that holds the whole model.
    func whole(steps: Int) -> Double { 2 * call + Double(steps) * (forward + backward + weights) }
}

extension LanguageModelConfiguration {
    /// Parameters of some layers, with the embedding at the first and the output layer at the last.
    func parameterCount(layers range: Range<Int>) -> Double {
        let rows = Double(cell.gateCount * hidden)
        var count = 0.0
        for layer in range { count += rows * (Double((layer == 0 ? embedding : hidden) + hidden) + 2) }
        if range.lowerBound == 0 { count += Double(vocabularySize) * Double(embedding) }
        if range.upperBound == layers { count += Double(vocabularySize) * Double(hidden + 1) }
        return count
    }
}
