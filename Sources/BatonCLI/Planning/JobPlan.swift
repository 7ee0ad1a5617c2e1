import Baton
import Glibc

/// The layouts a job could train in, with what is expected of them on this machine.
struct JobPlan {
    /// The fastest first.
    let forecasts: [LayoutForecast]
    /// What the probe measured.
    let costs: MachineCosts
    /// Layouts that these ranks cannot have, as sentences.
    let omitted: [String]
    /// How long the probe took.
    let probeSeconds: Double

    /// Probes the machine. Collective; all ranks come to the same plan.
    ///
    /// - Parameter schedule: only this one for pipelines; nil is all.
    init(_ configuration: TrainingConfiguration, schedule: ScheduleKind? = nil, _ job: ParallelJob) throws {
        let candidates = LayoutCandidate.all(configuration, ranks: job.communicator.size, schedule: schedule)
        try self.init(configuration, candidates, job)
    }

    /// The same for given candidates.
    init(_ configuration: TrainingConfiguration, _ candidates: [LayoutCandidate], _ job: ParallelJob) throws {
        guard !candidates.isEmpty else {
            // The reason the simplest layout does not fit says most.
            try configuration.check(ParallelLayout(replicas: job.communicator.size))
            throw CommandFailure(
                "\(job.communicator.size) ranks cannot train \(configuration.model.layers) layer(s) on \(configuration.batch) lanes in any layout; start fewer ranks or use more lanes (--batch)."
            )
        }
        let start = ContinuousClock.now
        costs = try CostProbe(configuration, world: job.communicator).measure(
            candidates, baseBytes: Self.residentBytes())
        probeSeconds = BestTime.elapsed(since: start)
        let divided = costs.notDivided
        omitted = divided.keys.sorted().map { "shard=\($0) is left out: \(divided[$0] ?? "")" }
        let usable = candidates.filter { divided[$0.layout.shards] == nil }
        guard !usable.isEmpty else { throw CommandFailure(omitted.joined(separator: " ")) }
        forecasts = try LayoutPlanner(configuration, costs: costs).forecasts(usable)
    }

    /// The fastest.
    var best: LayoutForecast { forecasts[0] }

    /// For the head of a run: what was chosen and why.
    var choice: String {
        "layout auto: \(best.candidate), \(fixed(best.secondsPerStep * 1e3, digits: 2)) ms per step predicted. \(best.reason(among: forecasts))"
            + omitted.map { "\n\($0)" }.joined()
    }

    /// Memory of this process that is really there.
    static func residentBytes() -> Double {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        return fields.count > 1 ? (Double(fields[1]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}

extension LayoutForecast {
    /// Predicted beside measured, for the end of a run.
    func comparison(measured seconds: Double) -> String {
        "\(candidate): predicted \(fixed(secondsPerStep * 1e3, digits: 2)) ms per step, measured \(fixed(seconds * 1e3, digits: 2)) (predicted / measured \(fixed(secondsPerStep / seconds, digits: 3)))"
    }
}
