import ArgumentParser
import Baton

/// `--schedule` and into how many parts it cuts the work.
struct ScheduleOption: ParsableArguments {
    @Option(help: "What pipeline stages do: wavefront, gpipe or 1f1b (default: wavefront); needs pp in --layout.")
    var schedule: ScheduleName?
    @Option(
        help:
            "Chunks of time of a window in a wavefront (default: 16 per stage, of two steps at least while there are 8)."
    ) var chunks: Int?
    @Option(help: "Micro-batches of a pipeline (default: 1 in a wavefront, else up to 2 per stage).")
    var microBatches: Int?

    var kind: ScheduleKind { schedule?.kind ?? .wavefront }
    var cuts: ScheduleCuts { ScheduleCuts(chunks: chunks, microBatches: microBatches) }
    /// For ranks to compare.
    var summary: String { "\(kind.rawValue) \(chunks ?? 0) \(microBatches ?? 0)" }

    /// Refuses what a layout has no use for.
    func check(_ layout: ParallelLayout?) throws {
        for (flag, value) in [
            ("--schedule", schedule?.rawValue), ("--chunks", chunks.map { "\($0)" }),
            ("--micro-batches", microBatches.map { "\($0)" }),
        ] {
            guard let value, layout?.stages ?? 1 == 1 else { continue }
            throw ValidationError(
                "\(flag) \(value) says what pipeline stages do; give a --layout with pp of at least 2.")
        }
        try FlagCheck.counts(["--chunks": chunks, "--micro-batches": microBatches])
    }

    /// Refuses parts that a training on a layout has not.
    func check(_ layout: ParallelLayout, _ configuration: TrainingConfiguration) throws {
        do {
            try cuts.check(
                kind, steps: configuration.stepsPerWindow, replicas: layout.replicas,
                leafCount: configuration.leafCount)
        } catch {
            let flags = [("--chunks", chunks), ("--micro-batches", microBatches)].filter { $0.1 != nil }.map(\.0)
            throw ValidationError("\(flags.joined(separator: " or ")): \(error.message)")
        }
    }
}

/// Pipeline schedules by their names on the command line.
enum ScheduleName: String, ExpressibleByArgument, CaseIterable {
    case wavefront, gpipe
    case oneForwardOneBackward = "1f1b"

    var kind: ScheduleKind {
        switch self {
        case .wavefront: .wavefront
        case .gpipe: .gpipe
        case .oneForwardOneBackward: .oneForwardOneBackward
        }
    }
}
