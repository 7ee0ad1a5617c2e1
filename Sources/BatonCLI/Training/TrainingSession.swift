import Baton
import BatonChecks
import FoundationEssentials
import Glibc

/// One sitting of a training run: steps, logs, evaluations, samples and checkpoints in their order.
struct TrainingSession {
    private let trainer: LanguageModelTrainer
    private let corpus: TextCorpus
    private let text: TrainingText
    private let directory: RunDirectory
    private let job: ParallelJob
    private let sampleLength: Int
    private let trace: TraceOption
    /// What the planner expects of the layout; nil if it was not asked.
    private let forecast: LayoutForecast?
    private var stepSeconds: [Double] = []
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let evaluator: LanguageModelEvaluator?
    /// Logs of rank 0; nil on the others.
    private let logs: RunLogs?
    private var firstLoss: Double?
    private var lastLoss: Double?

    /// The logs go on after the trainer's step; at step 0 they start anew.
    init(
        trainer: LanguageModelTrainer, corpus: TextCorpus, text: TrainingText, directory: RunDirectory,
        job: ParallelJob, sampleLength: Int, trace: TraceOption, forecast: LayoutForecast?
    ) throws {
        self.trainer = trainer
        self.corpus = corpus
        self.text = text
        self.directory = directory
        self.job = job
        self.sampleLength = sampleLength
        self.trace = trace
        self.forecast = forecast
        start = clock.now
        evaluator =
            corpus.validation.count > 1
            ? try LanguageModelEvaluator(
                tokens: corpus.validation, steps: trainer.configuration.stepsPerWindow, grid: trainer.grid)
            : nil
        logs =
            job.communicator.rank == 0
            ? try RunLogs(directory, resumedStep: trainer.stepsDone > 0 ? trainer.stepsDone : nil) : nil
        if job.communicator.rank == 0 {
            try AtomicFile.write(try configurationText(trainer.configuration), to: directory.configuration)
        }
    }

    /// Trains up to and including a step, or until a signal asks one of the ranks to stop. Collective.
    ///
    /// - Parameters:
    ///   - interval: steps between checkpoints.
    ///   - greatestAge: seconds after which a checkpoint is written at the latest.
    /// - Returns: the signal, if the last step is not done because of it; what is done has its checkpoint.
    mutating func run(
        to lastStep: Int, checkpointEvery interval: Int, greatestAge: Double
    ) throws -> Int32? {
        describe(lastStep)
        if trainer.stepsDone == 0 { try evaluate() }
        try showMissingSample()
        var bar = ProgressBar(
            label: "train", startStep: trainer.stepsDone, total: lastStep,
            style: Console.terminalColumns.map { .terminal(columns: $0) } ?? .plain, now: now, write: Console.write)
        var watch = SaveWatch(job.communicator, greatestAge: greatestAge, now: now)
        StopSignal.watch()
        // The first two steps take memory; a sitting too short for them is traced from its start or to its end.
        let traceStart = trainer.stepsDone + max(0, min(2, lastStep - trainer.stepsDone - trace.steps))
        while trainer.stepsDone < lastStep {
            if trace.trace != nil, trainer.stepsDone == traceStart { try trainer.beginTrace(steps: trace.steps) }
            let report = try trainer.step()
            if report.step == traceStart + trace.steps { try writeTrace(&bar) }
            stepSeconds.append(report.seconds)
            try log(report)
            bar.advance(to: report.step, loss: report.loss, tokens: report.tokens, now: now)
            let epochEnds = report.step % trainer.windowsPerEpoch == 0
            if epochEnds || report.step == lastStep {
                bar.finish(now: now)
                try evaluate()
            }
            let reason = try watch.reason(after: report, now: now)
            if reason != nil || report.step % interval == 0 || report.step == lastStep {
                try save()
                watch.saved(now: now)
            }
            if case .signal(let signal)? = reason, report.step < lastStep { return try stop(signal, &bar) }
            // Only some ranks make it while the others wait: what is done is safe before.
            if epochEnds, let signal = try showSample(epoch: report.step / trainer.windowsPerEpoch) {
                return try stop(signal, &bar)
            }
        }
        try writeTrace(&bar)
        try conclude()
        return nil
    }

    /// What has been traced by now, if it is not written yet. Collective.
    private func writeTrace(_ bar: inout ProgressBar) throws {
        guard let traced = try trace.finish(trainer, job) else { return }
        bar.finish(now: now)
        Console.print(traced.text)
    }

    private func stop(_ signal: Int32, _ bar: inout ProgressBar) throws -> Int32 {
        try writeTrace(&bar)
        bar.finish(now: now)
        Console.print(
            "stopped by signal \(signalText(signal)) after step \(trainer.stepsDone), with a checkpoint; train --resume goes on from there"
        )
        return signal
    }

    private var now: Double { Double((clock.now - start) / .nanoseconds(1)) * 1e-9 }

    private var unit: String { corpus.vocabulary.tokenization == .characters ? "character" : "word" }

    private func describe(_ lastStep: Int) {
        let configuration = trainer.configuration
        let model = configuration.model
        Console.print(
            "\(model.cell.rawValue) \(model.layers)×\(model.hidden), embedding \(model.embedding), vocabulary \(model.vocabularySize) (\(unit)s), \(Int(model.parameterCount)) parameters"
        )
        Console.print(
            "\(corpus.training.count) training and \(corpus.validation.count) validation tokens; batch \(configuration.batch) × \(configuration.stepsPerWindow) on \(counted(job.communicator.size, "rank")), layout \(trainer.grid.layout); \(KernelSelection.active.backend.rawValue) kernels, \(KernelSelection.active.instructionSet.rawValue)"
        )
        if trainer.stepsDone > 0 { Console.print("resumed after step \(trainer.stepsDone)") }
        if trainer.stepsDone >= lastStep {
            Console.print("nothing to do: the run has \(counted(trainer.stepsDone, "step"))")
        }
    }

    private func log(_ report: StepMetrics) throws {
        try logs?.metrics.append(
            MetricsRow(
                step: report.step, loss: report.loss, gradientNorm: report.gradientNorm,
                parameterHash: report.parameterHash ?? 0, tokens: report.tokens, rowsThisRank: report.rowsThisRank,
                seconds: report.seconds))
    }

    /// Loss on the validation part. Collective.
    private mutating func evaluate() throws {
        guard let evaluator else { return }
        let (loss, tokens) = try evaluator.evaluate(trainer.model)
        try logs?.validation.append(ValidationRow(step: trainer.stepsDone, loss: loss, tokens: tokens))
        if firstLoss == nil { firstLoss = loss }
        lastLoss = loss
        Console.print("step \(trainer.stepsDone): validation loss \(fixed(loss, digits: 4)) nats per \(unit)")
    }

    /// What a sitting that was ended between a checkpoint and its sample has left to do. Collective.
    private func showMissingSample() throws {
        let (epoch, rest) = trainer.stepsDone.quotientAndRemainder(dividingBy: trainer.windowsPerEpoch)
        guard sampleLength > 0, epoch > 0, rest == 0 else { return }
        let isMissing = try job.share {
            let there = (try? String(contentsOfFile: directory.samples, encoding: .utf8)) ?? ""
            return there.contains(sampleHead(epoch)) ? [] : [1]
        }
        if !isMissing.isEmpty { _ = try showSample(epoch: epoch) }
    }

    private func sampleHead(_ epoch: Int) -> String { "--- after epoch \(epoch), step \(trainer.stepsDone) ---\n" }

    /// A few lines in the style of the text, which the first replica makes and rank 0 writes. Collective.
    ///
    /// - Returns: the signal that stopped it before its end; a resumed run makes it anew.
    private func showSample(epoch: Int) throws -> Int32? {
        guard sampleLength > 0 else { return nil }
        let isWhole = trainer.grid.place.replica == 0 ? try writeSample(epoch: epoch) : true
        // The others wait for rank 0 here, however long that took it.
        let signal = try job.share { isWhole ? [] : [UInt8(StopSignal.received ?? SIGTERM)] }
        return signal.first.map { Int32($0) }
    }

    /// Collective over the stages and shards of the first replica; false if a signal ended it.
    private func writeSample(epoch: Int) throws -> Bool {
        let prompt = Array(corpus.training.prefix(1))
        let generator = try TextGenerator(
            trainer.model, temperature: 0.8, seed: trainer.configuration.seed, grid: trainer.grid)
        // Alone, it stops at once when it is asked to.
        let isAlone = trainer.grid.layout.stages * trainer.grid.layout.shards == 1
        let tokens = try generator.generate(prompt: prompt, length: sampleLength) {
            isAlone && StopSignal.received != nil
        }
        guard tokens.count == sampleLength else { return false }
        guard job.communicator.rank == 0 else { return true }
        let text = try corpus.vocabulary.decode(prompt + tokens)
        Console.print("--- sample after epoch \(epoch) ---\n\(text)\n---")
        var earlier = epoch > 1 ? (try? String(contentsOfFile: directory.samples, encoding: .utf8)) ?? "" : ""
        let head = sampleHead(epoch)
        // A sitting that was ended before its next checkpoint has left samples of steps that are done again.
        if let again = earlier.firstRange(of: head) { earlier.removeSubrange(again.lowerBound...) }
        try AtomicFile.write(earlier + head + text + "\n", to: directory.samples)
        return true
    }

    /// Collective; rank 0 writes, and its failure ends all ranks.
    private func save() throws {
        let snapshot = try trainer.snapshot()
        _ = try job.share {
            try logs?.checkPlace()
            do {
                try logs?.metrics.flush()
                try logs?.validation.flush()
                try directory.checkpoints.write(
                    Checkpoint(snapshot: snapshot, vocabulary: corpus.vocabulary, text: text))
            } catch {
                // The directory may have been moved just now.
                try logs?.checkPlace()
                throw error
            }
            return []
        }
    }

    private func conclude() throws {
        let hash = try trainer.parameterHash() ?? 0
        let memory = try PeakMemory.megabytes(on: job.communicator)
        guard job.communicator.rank == 0 else { return }
        // The first steps take memory.
        if let forecast, stepSeconds.count > 2 {
            Console.print(forecast.comparison(measured: median(Array(stepSeconds.dropFirst(2)))))
        }
        let model = trainer.configuration.model
        try directory.draw(title: "\(model.cell.rawValue) \(model.layers)×\(model.hidden)", unit: "nats per \(unit)")
        if let firstLoss, let lastLoss, trainer.stepsDone > 0 {
            Console.print(
                "validation loss \(fixed(firstLoss, digits: 4)) -> \(fixed(lastLoss, digits: 4)) nats per \(unit) in \(fixed(now, digits: 1)) s"
            )
        }
        Console.print(PeakMemory.text(memory))
        Console.print("run: \(directory.path)  plot: \(directory.plot)  parameters \(hexadecimal(hash))")
    }
}
