import ArgumentParser
import Baton

/// What `plan` plans: a model, its batch, and what is settled about the layout.
struct PlanSubject: ParsableArguments {
    @OptionGroup var model: BenchModelOptions
    @Option(help: "Lanes of text over all ranks.") var batch = 64
    @OptionGroup var output: OutputLayerOption
    @OptionGroup var memory: RecomputeOption

    func validate() throws {
        try FlagCheck.counts(["--batch": batch], limit: 1_000_000)
    }

    /// What is trained to check it.
    func workload() throws -> TrainWorkload {
        let workload = TrainWorkload(
            model: try model.configuration, lanes: .ofBatch(batch),
            stepsPerWindow: model.stepsPerWindow, recomputation: memory.recomputation)
        try workload.check()
        return workload
    }

    /// Whether no flag asks for anything of its own.
    var isDefault: Bool {
        guard let other = try? PlanSubject.parse([]), let mine = try? jsonText(workload()),
            let others = try? jsonText(other.workload())
        else { return false }
        return mine == others && output.outputLayer == other.output.outputLayer
    }

    /// What is left open.
    var choice: JobPlan.Choice {
        JobPlan.Choice(output: output.placement, recomputation: memory.recomputation)
    }

    /// The subjects of a file: one per line, as flags of `plan`; `#` starts a comment, empty lines are passed over.
    ///
    /// - Throws: `DataError` when the file cannot be read, `CommandFailure` naming file and line otherwise.
    static func read(path: String) throws -> [PlanSubject] {
        let lines = try TextSource.read(paths: [path])
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        var subjects: [PlanSubject] = []
        for (index, line) in lines.enumerated() {
            let words = ArgumentWords.joined(
                line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init))
            if words.isEmpty { continue }
            do {
                try ArgumentWords.checkRepetition(words)
                let subject = try PlanSubject.parse(words)
                _ = try subject.workload()
                subjects.append(subject)
            } catch {
                let reason = ArgumentWords.refusal(error, of: words, as: PlanSubject.self) {
                    _ = try PlanSubject.parse($0)
                }
                throw CommandFailure(
                    "\(path), line \(index + 1): \(reason) A line holds flags of plan, for instance '--hidden 128 --batch 8'."
                )
            }
        }
        guard !subjects.isEmpty else {
            throw CommandFailure(
                "\(path) names no configuration; a line holds flags of plan, for instance '--hidden 128 --batch 8'.")
        }
        return subjects
    }
}
