import ArgumentParser
import Baton

/// `baton bench train`: whole training steps of a language model, on one rank or several.
struct BenchTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Measures whole training steps of a language model on random tokens.",
        discussion: """
            --batch is per rank, so more ranks do more work in the same time. GF/s counts the products of the recurrent \
            layers and the output layer, forward and backward. With --independent every rank trains a model of its own, \
            side by side with the others: what ranks would reach if they had nothing to say to each other. --compare \
            measures both in turn and prints their ratio. With --global-batch the whole batch has that many lanes in \
            every layout, and each independent rank trains a whole one: the ratio is then the share that the layout \
            reaches of what the cores could do. Start several ranks with launch/run.
            """)

    /// How the ranks train.
    enum Mode: EnumerableFlag {
        case coupled, independent, compare

        static func help(for value: Mode) -> ArgumentHelp? {
            switch value {
            case .coupled: "All ranks train one model."
            case .independent: "Every rank trains a model of its own."
            case .compare: "Both, in turn, and their ratio."
            }
        }
    }

    @OptionGroup var model: BenchModelOptions
    @Option(help: "Lanes of text per rank (default: 64).") var batch: Int?
    @Option(help: "Lanes of text of all ranks together, and of every independent one, instead of --batch.")
    var globalBatch: Int?
    @OptionGroup var layout: LayoutOption
    @OptionGroup var schedule: ScheduleOption
    @OptionGroup var output: OutputLayerOption
    @OptionGroup var memory: RecomputeOption
    @OptionGroup var trace: TraceOption
    @Option(help: "Time per measurement.") var seconds = 5.0
    @Flag var mode = Mode.coupled
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        try FlagCheck.counts(["--batch": batch, "--global-batch": globalBatch], limit: 1_000_000)
        try FlagCheck.seconds(seconds)
        if batch != nil && globalBatch != nil { throw ValidationError("Give --batch or --global-batch, not both.") }
        if mode == .independent {
            for (name, isGiven) in [("--layout", layout.layout != nil), ("--trace", trace.trace != nil)] where isGiven {
                throw ValidationError("\(name) is about coupled ranks; leave it out or leave out --independent.")
            }
        }
        let asked = try layout.parsed()
        try schedule.check(asked)
        if !layout.choosesAmongRanks { try output.check(asked) }
        if mode == .compare, try LaunchEnvironment()?.size ?? 1 < 2 {
            throw ValidationError("--compare needs at least 2 ranks; start with launch/run -n 2.")
        }
    }

    func run() throws {
        let workload = TrainWorkload(
            model: try model.configuration, lanes: globalBatch.map { .ofBatch($0) } ?? .perRank(batch ?? 64),
            stepsPerWindow: model.stepsPerWindow, recomputation: memory.recomputation)
        try workload.check()
        let job = try ParallelJob()
        let communicator = job.communicator
        try job.agree(on: [
            (
                "the flags",
                "\(try jsonText(workload)) \(seconds) \(mode) \(layout.layout ?? "") \(schedule.summary) \(output.outputLayer) \(trace.trace ?? "") \(trace.steps)"
            )
        ])
        try trace.check(job)
        let trained = workload.trainingConfiguration(ranks: communicator.size)
        let forecast = try forecast(trained, job)
        let candidate =
            forecast?.candidate ?? LayoutCandidate(ParallelLayout(replicas: communicator.size))
        PeakMemory.reset()
        if mode != .independent {
            try layout.fitting(changing: sizeFlags) { try trained.check(candidate.layout) }
            try schedule.check(candidate.layout, trained)
        }
        let coupling = mode == .compare ? [true, false] : [mode == .coupled]
        var rounds = try coupling.map {
            try TrainRounds(workload, $0 ? candidate : nil, communicator: communicator)
        }
        // Short turns, so that a machine that gets slower or faster does so for both.
        let turns = mode == .compare ? 9 : 1
        var rates: [[[Double]]] = []
        var peak = try busyPeak(communicator)
        for _ in 0..<turns {
            rates.append([])
            for index in rounds.indices {
                rates[rates.count - 1].append(try rounds[index].run(seconds: seconds / Double(turns)))
                peak = max(peak, try busyPeak(communicator))
            }
        }
        let total = try communicator.allGather(peak).reduce(0, +)
        let lanes = try communicator.allGather(rounds[0].lanes)
        let figures = try zip(coupling, rounds).map { isCoupled, rounds in
            try TrainFigures(
                rounds.tally, isCoupled: isCoupled, workload: workload, peak: total, communicator: communicator)
        }
        let megabytes = try PeakMemory.megabytes(on: communicator)
        var report = TrainReport(
            workload: workload, ranks: communicator.size, trainer: rounds[0].trainer,
            schedule: candidate.schedule, lanes: (lanes.min() ?? 0)...(lanes.max() ?? 0),
            peakPerRank: total / Double(communicator.size), figures: figures)
        report.compared = mode == .compare ? TrainComparison(rates) : nil
        report.predictedStepMilliseconds = forecast.map { $0.secondsPerStep * 1e3 }
        report.predictedMegabytes = forecast.map { ($0.bytesPerRank * 1e-6).rounded() }
        report.peakMegabytes = mode == .compare ? nil : megabytes
        report.trace = try traced(rounds[0].trainer, job)
        try Console.print(report, json: json)
        try job.finish()
    }

    /// Flags that give the model more of what a layout divides.
    private var sizeFlags: KeyValuePairs<String, String> {
        ["layers": "--layers", "lanes": globalBatch == nil ? "--batch" : "--global-batch"]
    }

    /// What to expect of the layout that was asked for, or of the best; nil if none was asked for. Collective.
    private func forecast(_ trained: TrainingConfiguration, _ job: ParallelJob) throws -> LayoutForecast? {
        guard layout.layout != nil, mode != .independent else { return nil }
        guard let asked = try layout.parsed() else {
            let choice = JobPlan.Choice(output: output.placement, recomputation: memory.recomputation)
            return try JobPlan(trained, choice, job).best
        }
        try layout.fitting(changing: sizeFlags) { try trained.check(asked) }
        try schedule.check(asked, trained)
        let candidate = LayoutCandidate(asked, schedule: schedule.kind, cuts: schedule.cuts, output: output.placement)
        return try JobPlan(trained, [candidate], recomputation: memory.recomputation, job).best
    }

    /// Steps after those that were measured. Collective.
    private func traced(_ trainer: LanguageModelTrainer, _ job: ParallelJob) throws -> TraceReport? {
        guard trace.trace != nil else { return nil }
        try trainer.beginTrace(steps: trace.steps)
        for _ in 0..<trace.steps { _ = try trainer.step() }
        return try trace.finish(trainer, job)
    }

    /// This rank's peak while all ranks measure theirs. Collective.
    private func busyPeak(_ communicator: any Communicator) throws -> Double {
        try communicator.barrier()
        return CoreCeilings.peak()
    }
}
