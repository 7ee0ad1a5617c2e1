import ArgumentParser
import Baton

/// A small training run that every layout has to repeat bit for bit.
struct VerificationRun: ParsableArguments {
    @Option(help: "Recurrent layers.") var layers = 4
    @Option(help: "Hidden units per layer.") var hidden = 24
    @Option(help: "Width of the embedding.") var embed = 10
    @Option(help: "Size of the vocabulary.") var vocab = 29
    @Option(help: "Fraction dropped between layers.") var dropout = 0.2
    @Option(help: "Lanes of text.") var batch = 13
    @Option(help: "Time steps per window.") var stepsPerWindow = 9
    @Option(help: "Largest global gradient norm.") var clip = 0.5
    @Option(help: "Training steps.") var steps = 6

    func validate() throws {
        try FlagCheck.counts(
            [
                "--layers": layers, "--hidden": hidden, "--embed": embed, "--vocab": vocab, "--batch": batch,
                "--steps-per-window": stepsPerWindow, "--steps": steps,
            ], limit: 100_000)
        try FlagCheck.fractions(["--dropout": dropout])
        guard clip > 0, clip.isFinite else { throw ValidationError("--clip is \(clip), expected a number above 0.") }
    }

    /// The run with a cell.
    func configuration(_ cell: RecurrentKind) throws -> TrainingConfiguration {
        let model = try LanguageModelConfiguration(
            cell: cell, vocabularySize: vocab, embedding: embed, hidden: hidden, layers: layers, dropout: dropout)
        try TrainWorkload(model: model, lanes: .ofBatch(batch), stepsPerWindow: stepsPerWindow)
            .check()
        return TrainingConfiguration(
            model: model, batch: batch, stepsPerWindow: stepsPerWindow, totalSteps: steps, optimizer: .adam,
            learningRate: 0.01,
            schedule: .constant, weightDecay: 0, momentum: 0, clip: clip, seed: 7,
            leafCount: LeafPlan.leafCount(rows: batch))
    }

    /// Random tokens for three windows, so that the run crosses the end of an epoch.
    var tokens: [Int32] {
        let stream = RandomStream(seed: 7, name: "verify-layout")
        return (0...batch * stepsPerWindow * 3).map { Int32(stream.uniform(UInt64($0)) * Double(vocab)) }
    }

    /// One way of training.
    struct Case {
        var layout = ParallelLayout()
        var schedule = ScheduleKind.wavefront
        var output = OutputPlacement.lastStage

        /// `dp=2,pp=2 wavefront spread`.
        var title: String {
            layout.stages == 1
                ? "\(layout)" : "\(layout) \(schedule.rawValue)" + (output == .spread ? " spread" : "")
        }
    }

    /// The layouts of so many ranks that fit the run, with the schedules of those that have stages, the output layer on
    /// the last stage and on all.
    func cases(ranks: Int) -> [Case] {
        let divisors = (1...ranks).filter { ranks % $0 == 0 }
        let layouts = divisors.flatMap { shards in
            divisors.filter { ranks / shards % $0 == 0 }
                .map { ParallelLayout(replicas: ranks / shards / $0, stages: $0, shards: shards) }
        }
        return layouts.filter { layout in
            layout.stages <= layers && layout.replicas <= LeafPlan.leafCount(rows: batch)
                // Only the packed kernels divide units.
                && (layout.shards == 1 || KernelSelection.active.backend == .packed)
        }.flatMap { layout in
            if layout.stages == 1 { return [Case(layout: layout)] }
            let canSpread = layout.shards == 1 && ranks <= LeafPlan.leafCount(rows: batch)
            return ScheduleKind.allCases.flatMap { schedule in
                (canSpread ? OutputPlacement.allCases : [.lastStage]).map {
                    Case(layout: layout, schedule: schedule, output: $0)
                }
            }
        }
    }
}
