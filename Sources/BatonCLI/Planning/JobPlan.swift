import Baton
import BatonChecks

/// The layouts a job could train in, with what is expected of them on this machine.
struct JobPlan {
    /// The fastest first.
    let forecasts: [LayoutForecast]
    /// What the probe measured.
    let costs: MachineCosts
    /// Layouts that these ranks cannot have, as sentences.
    let omitted: [String]
    /// How long probe and trial took.
    let probeSeconds: Double
    /// Steps of the layouts that are expected to be about equally fast; nil if there is only one.
    let trial: LayoutTrial?

    /// What is left open of how to train.
    struct Choice {
        /// Only this schedule for pipelines; nil is all.
        var schedule: ScheduleKind?
        /// Only this place of the output layer; nil is both.
        var output: OutputPlacement?
        /// Whether gates are computed again; nil keeps them.
        var recomputation: Recomputation?
    }

    private let recomputation: Recomputation?
    private let configuration: TrainingConfiguration

    /// Probes the machine. Collective; all ranks come to the same plan.
    init(_ configuration: TrainingConfiguration, _ choice: Choice = Choice(), _ job: ParallelJob) throws {
        let candidates = LayoutCandidate.all(
            configuration, ranks: job.communicator.size, schedule: choice.schedule, output: choice.output,
            recomputes: choice.recomputation != nil)
        try self.init(configuration, candidates, recomputation: choice.recomputation, job)
    }

    /// The same for given candidates.
    init(
        _ configuration: TrainingConfiguration, _ candidates: [LayoutCandidate], recomputation: Recomputation?,
        _ job: ParallelJob
    ) throws {
        self.configuration = configuration
        self.recomputation = recomputation
        guard !candidates.isEmpty else {
            // The reason the simplest layout does not fit says most.
            try configuration.check(ParallelLayout(replicas: job.communicator.size))
            throw CommandFailure(
                "\(counted(job.communicator.size, "rank")) cannot train \(counted(configuration.model.layers, "layer")) on \(counted(configuration.batch, "lane")) in any layout; start fewer ranks or use more lanes (--batch)."
            )
        }
        let start = ContinuousClock.now
        let candidates = try candidates.map { try $0.placed(in: configuration) }
        PeakMemory.reset()
        costs = try Self.probe(
            configuration, candidates, recomputation, room: SharedRoom(job.communicator), job)
        // What the probe needed is not part of the run.
        PeakMemory.reset()
        let divided = costs.notDivided
        omitted = divided.keys.sorted().map { "shard=\($0) is left out: \(divided[$0] ?? "")" }
        let usable = candidates.filter { divided[$0.layout.shards] == nil }
        guard !usable.isEmpty else { throw CommandFailure(omitted.joined(separator: " ")) }
        forecasts = try LayoutPlanner(configuration, costs: costs, recomputation: recomputation).forecasts(usable)
        let finalists = LayoutTrial.finalists(forecasts)
        let workload = TrainWorkload(
            model: configuration.model, lanes: .ofBatch(configuration.batch),
            stepsPerWindow: configuration.stepsPerWindow, recomputation: recomputation)
        trial = finalists.isEmpty ? nil : try LayoutTrial(finalists, workload, job)
        PeakMemory.reset()
        probeSeconds = BestTime.elapsed(since: start)
    }

    private static func probe(
        _ configuration: TrainingConfiguration, _ candidates: [LayoutCandidate], _ recomputation: Recomputation?,
        room: SharedRoom?, _ job: ParallelJob
    ) throws -> MachineCosts {
        try CostProbe(configuration, world: job.communicator, recomputation: recomputation).measure(
            candidates, baseBytes: PeakMemory.bytesAtStart, room: room)
    }

    /// Seconds per step of some of the layouts, as a new probe finds them. Collective.
    func probedAgain(_ forecasts: [LayoutForecast], _ job: ParallelJob) throws -> [Double] {
        let candidates = forecasts.map(\.candidate)
        let costs = try Self.probe(configuration, candidates, recomputation, room: nil, job)
        let planner = LayoutPlanner(configuration, costs: costs, recomputation: recomputation)
        return try candidates.map { try planner.forecast($0).secondsPerStep }
    }

    /// The fastest: in the trial if there was one, else as predicted.
    var best: LayoutForecast { trial?.winner.forecast ?? forecasts[0] }

    /// Why it is the best.
    var reason: String { trial?.reason ?? best.reason(among: forecasts) }

    /// For the head of a run: what was chosen and why.
    var choice: String {
        "layout auto: \(best.candidate), \(fixed(best.secondsPerStep * 1e3, digits: 2)) ms per step predicted. \(reason)"
            + omitted.map { "\n\($0)" }.joined()
    }
}

extension LayoutForecast {
    /// Predicted beside measured, for the end of a run.
    func comparison(measured seconds: Double) -> String {
        "\(candidate): predicted \(fixed(secondsPerStep * 1e3, digits: 2)) ms per step, measured \(fixed(seconds * 1e3, digits: 2)) (predicted / measured \(fixed(secondsPerStep / seconds, digits: 3)))"
    }
}
