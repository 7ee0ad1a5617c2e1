import ArgumentParser
import Baton
import BatonChecks
import Foundation

/// `baton train`: trains a model on one process or on the ranks of `mpirun`.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a language model on text; start several ranks with launch/run.",
        discussion: """
            RUN/ receives config.json, metrics.csv (one row per step), validation.csv, samples.txt, loss.svg and \
            checkpoints/. The numbers do not depend on the number of ranks. SIGINT (Ctrl-C), SIGTERM and SIGUSR1 end a \
            run after its step, with a checkpoint; the status is then 128 + the signal. mpirun passes SIGUSR1 on and \
            waits; after the other two it gives its ranks a second and ends with 1.
            """)

    @OptionGroup var options: TrainOptions
    @OptionGroup var layout: LayoutOption
    @OptionGroup var schedule: ScheduleOption
    @OptionGroup var trace: TraceOption
    @OptionGroup var memory: RecomputeOption
    @OptionGroup var output: OutputLayerOption
    @Option(help: "Directory of the run.") var out: String
    @Flag(help: "Continue the run in --out from its newest checkpoint; flags of the run need not be repeated.")
    var resume = false
    @Option(help: "Stop, with a checkpoint, after this step; the schedule still refers to the whole run.")
    var stopAtStep: Int?
    @Option(help: "Steps between checkpoints (default: one epoch).") var checkpointEvery: Int?
    @Option(help: "Minutes after which a checkpoint is written in any case; 0 for never.") var checkpointMinutes = 10.0
    @Option(help: "Characters or words of generated text shown after each epoch; 0 for none.") var sample = 200

    func validate() throws {
        let asked = try layout.parsed()
        try schedule.check(asked)
        if !layout.choosesAmongRanks { try output.check(asked) }
        try FlagCheck.counts(["--stop-at-step": stopAtStep, "--checkpoint-every": checkpointEvery])
        try FlagCheck.lengths(["--sample": sample])
        // Written so that NaN is refused too.
        guard checkpointMinutes >= 0, checkpointMinutes.isFinite else {
            throw ValidationError("--checkpoint-minutes is \(checkpointMinutes), expected 0 or more.")
        }
    }

    func run() throws {
        let job = try ParallelJob()
        let directory = RunDirectory(path: out)
        let text = try TextSource.read(paths: options.data)
        let resumed = resume ? try checkpoint(in: directory, job) : nil
        let identity = try identify(text, resumed)
        let corpus = try makeCorpus(text, split: identity.validationFraction, resumed)
        let configuration = try makeConfiguration(corpus, resumed)
        let fields = try configurationFields(configuration)
        try job.agree(
            on: [
                ("the text (SHA-256)", identity.digest)
            ] + fields + [
                (
                    "the flags",
                    "\(out) \(resume) \(stopAtStep ?? 0) \(checkpointEvery ?? 0) \(checkpointMinutes) \(identity.validationFraction) \(layout.layout ?? "") \(schedule.summary) \(output.outputLayer) \(sample) \(trace.trace ?? "") \(trace.steps) \(layout.choosesAmongRanks ? "\(String(describing: memory.recomputation))" : "")"
                )
            ])
        try checkMemory(for: configuration)
        try trace.check(job, directory: directory)
        let ranks = job.communicator.size
        // One rank has no choice.
        let choice = JobPlan.Choice(output: output.placement, recomputation: memory.recomputation)
        if layout.choosesAmongRanks { Console.print("layout auto: measuring layouts of \(ranks) ranks") }
        let plan = layout.choosesAmongRanks ? try JobPlan(configuration, choice, job) : nil
        let asked = try layout.parsed() ?? ParallelLayout(replicas: ranks)
        if plan == nil {
            try layout.fitting(changing: ["layers": "--layers", "lanes": "--batch"]) { try configuration.check(asked) }
            try schedule.check(asked, configuration)
        }
        let candidate =
            plan?.best.candidate
            ?? LayoutCandidate(
                asked, schedule: schedule.kind, cuts: schedule.cuts, output: output.placement)
        if let plan { Console.print(plan.choice) }
        let trainer = try LanguageModelTrainer(
            configuration, tokens: corpus.training, grid: ProcessGrid(candidate.layout, world: job.communicator),
            schedule: candidate.schedule, cuts: candidate.cuts, recomputation: memory.recomputation,
            output: candidate.output)
        if let resumed { try trainer.restore(resumed.snapshot) }
        if !resume {
            let first = Checkpoint(snapshot: try trainer.snapshot(), vocabulary: corpus.vocabulary, text: identity)
            _ = try job.share {
                try begin(directory, with: first)
                return []
            }
        }
        var session = try TrainingSession(
            trainer: trainer, corpus: corpus, text: identity, directory: directory, job: job, sampleLength: sample,
            trace: trace, forecast: plan?.best)
        let signal = try session.run(
            to: min(stopAtStep ?? configuration.totalSteps, configuration.totalSteps),
            checkpointEvery: checkpointEvery ?? trainer.windowsPerEpoch,
            greatestAge: checkpointMinutes > 0 ? checkpointMinutes * 60 : .infinity)
        try job.finish()
        if let signal { Foundation.exit(128 + signal) }
    }

    /// Makes a new run's directory; from here on the run can be resumed, whenever it is ended.
    private func begin(_ directory: RunDirectory, with first: Checkpoint) throws {
        try refuseRun(in: directory)
        try directory.create()
        try directory.hold()
        // Another training may have begun here meanwhile.
        try refuseRun(in: directory)
        try directory.checkpoints.write(first)
    }

    private func refuseRun(in directory: RunDirectory) throws(CommandFailure) {
        guard !directory.holdsRun else {
            throw CommandFailure("\(out) already holds a run; add --resume to continue it, or choose another --out.")
        }
    }

    /// The checkpoint to continue from; rank 0 reads it, and keeps other trainings out.
    private func checkpoint(in directory: RunDirectory, _ job: ParallelJob) throws -> Checkpoint {
        let bytes = try job.share {
            try directory.hold()
            try directory.checkpoints.checkReadable()
            guard !directory.checkpoints.files().isEmpty else {
                throw CommandFailure(
                    directory.holdsRun
                        ? "\(out) holds the logs of a run and no checkpoint to resume it from; put the checkpoints back, or start a run in another --out."
                        : "\(out) holds no checkpoint to resume from; leave out --resume to start a run.")
            }
            let file = try directory.checkpoints.newest { Console.complain("baton: \($0)") }.file
            // Before an epoch is trained that could not be kept.
            _ = try AtomicFile(path: file)
            return Array(try Data(contentsOf: URL(filePath: file)))
        }
        return try Checkpoint(bytes: bytes, path: directory.checkpoints.path)
    }

    /// The text and its split; a resumed run must have those it was started with.
    private func identify(_ text: String, _ resumed: Checkpoint?) throws -> TrainingText {
        let digest = SHA256Digest(of: Array(text.utf8)).description
        guard let run = resumed?.text else {
            return TrainingText(digest: digest, validationFraction: options.validSplit ?? 0.1)
        }
        guard digest == run.digest else {
            throw CommandFailure(
                "The text of --data is not the one the run in \(out) was trained on; name the same files in the same order."
            )
        }
        if let split = options.validSplit, split != run.validationFraction {
            throw CommandFailure(
                "--valid-split \(split) differs from the run's \(run.validationFraction); leave the flag out or start a new run."
            )
        }
        return run
    }

    private func makeCorpus(_ text: String, split: Double, _ resumed: Checkpoint?) throws -> TextCorpus {
        guard let resumed else {
            return try TextCorpus(
                text: text, tokenization: (options.tokens ?? .chars).tokenization, validationFraction: split)
        }
        if let tokens = options.tokens, tokens.tokenization != resumed.vocabulary.tokenization {
            throw CommandFailure(
                "--tokens \(tokens.rawValue) differs from the run, whose vocabulary is of \(resumed.vocabulary.tokenization.rawValue); leave the flag out or start a new run."
            )
        }
        return try TextCorpus(text: text, vocabulary: resumed.vocabulary, validationFraction: split)
    }

    private func makeConfiguration(_ corpus: TextCorpus, _ resumed: Checkpoint?) throws -> TrainingConfiguration {
        let base = resumed?.snapshot.configuration
        let wanted = try options.configuration(vocabularySize: corpus.vocabulary.count, base: base) { batch, steps in
            let kept = corpus.validation.count
            do {
                return try LaneWindows(tokens: corpus.training, lanes: batch, steps: steps, tail: .dropped)
                    .windowsPerEpoch
            } catch let error as DataError where error.code == .tooShort && kept > 0 {
                throw CommandFailure(
                    "Of \(counted(corpus.training.count + kept, "token")) --valid-split keeps \(kept) for validation. \(error)"
                )
            }
        }
        guard var base else { return wanted }
        // A run may be made longer or shorter; anything else would be another run.
        base.totalSteps = wanted.totalSteps
        guard base == wanted else {
            throw CommandFailure(
                "The flags ask for \(try Self.difference(wanted, base)); leave them out to resume, or start a new run with another --out."
            )
        }
        return wanted
    }

    /// Refuses a model that cannot be held, before memory is asked for: a system that overcommits would end the process
    /// without a word.
    private func checkMemory(for configuration: TrainingConfiguration) throws {
        try configuration.check()
        // At least the parameters and their gradient, f32.
        let (needed, present) = (
            8 * configuration.model.parameterCount / 1e9, Double(ProcessInfo.processInfo.physicalMemory) / 1e9
        )
        guard needed <= present else {
            throw CommandFailure(
                "The model needs at least \(fixed(needed, digits: 1)) GB of memory for its parameters where this machine has \(fixed(present, digits: 1)) GB; make it smaller (--hidden, --layers, --embed)."
            )
        }
    }

    /// The first lines of two configurations that differ, as a phrase.
    private static func difference(_ wanted: TrainingConfiguration, _ stored: TrainingConfiguration) throws -> String {
        let pairs = zip(
            try configurationText(wanted).split(separator: "\n"), try configurationText(stored).split(separator: "\n"))
        func clean(_ line: Substring) -> String { line.trimmingCharacters(in: .whitespaces.union([","])) }
        for (left, right) in pairs where left != right {
            return "\(clean(left)) where the run has \(clean(right))"
        }
        return "another configuration than the run's"
    }
}
