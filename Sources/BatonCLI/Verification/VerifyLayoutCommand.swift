import ArgumentParser
import Baton
import BatonChecks
import Foundation

/// `baton verify-layout`: trains one small run in every layout and compares bits.
struct VerifyLayoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-layout",
        abstract:
            "Runs small models in every parallel layout and compares losses, gradients and parameters bit by bit.",
        discussion: """
            Starts the ranks itself. Each layout dp × pp × shard of each number of ranks, with each schedule, the output layer \
            on the last stage and spread over all, has to repeat the training run of one rank; each layout dp × pp × \
            dir the forward and backward passes of a bidirectional stack of at most 3 of the layers, and each with shard \
            those of a one-directional stack, projected if it is an LSTM. With --recompute all runs but the reference compute \
            their gates again, where units are not divided. The first figure that \
            differs is printed with its step and its leaf or tensor, and the exit status is 1.
            """)

    @OptionGroup var training: VerificationRun
    @OptionGroup var memory: RecomputeOption
    @Option(help: "Numbers of ranks, joined by commas (default: 1,2,3,4).", transform: VerifyLayoutCommand.counts)
    var ranks = [
        1, 2, 3, 4,
    ]
    @Option(help: "Cells, joined by commas: lstm, gru, rnn (default: all).", transform: VerifyLayoutCommand.cells)
    var models = TrainOptions.Model.allCases
    @Option(
        help: ArgumentHelp(
            "Flip one bit of a weight on this rank before this step, to see that the comparison finds it.",
            valueName: "rank:step"))
    var flip: String?
    @Flag(help: "Print one JSON object.") var json = false
    @Option(help: .hidden) var record: String?

    /// What `--json` prints.
    struct Report: Encodable {
        struct Row: Encodable {
            var run: String
            var figures: Int
            var firstDifference: String?
        }
        var rows: [Row] = []
        var differing: Int { rows.count { $0.firstDifference != nil } }
    }

    static func counts(_ text: String) throws -> [Int] {
        try FlagCheck.list(text, of: "--ranks", limit: 64, example: "1,2,4")
    }

    static func cells(_ text: String) throws -> [TrainOptions.Model] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let cell = TrainOptions.Model(rawValue: String(name)) else {
                throw ValidationError("--models: '\(name)' is none of lstm, gru, rnn.")
            }
            return cell
        }
    }

    /// Rank and step of the bit to flip.
    private var flipped: (rank: Int, step: Int)? {
        guard let parts = flip?.split(separator: ":").map({ Int($0) ?? -1 }), parts.count == 2 else { return nil }
        return (parts[0], parts[1])
    }

    func validate() throws {
        if let flip {
            guard let flipped, flipped.rank >= 0, flipped.step >= 1 else {
                throw ValidationError("--flip '\(flip)' is no RANK:STEP, such as 1:3 for rank 1 before step 3.")
            }
            guard flipped.step <= training.steps, flipped.rank < ranks.max() ?? 1 else {
                throw ValidationError(
                    "--flip '\(flip)' flips nothing in \(counted(training.steps, "step")) of at most \(counted(ranks.max() ?? 1, "rank")); name an earlier step or a lower rank."
                )
            }
        }
        if record == nil, try LaunchEnvironment() != nil {
            throw ValidationError("verify-layout starts its ranks itself; run it without launch/run.")
        }
    }

    private var stacks: [StackVerification] {
        [true, false].map { StackVerification(sizes: training, bidirectional: $0) }
    }

    func run() throws {
        if let record { return try work(recordingTo: record) }
        var reference: [String: LayoutRecord] = [:]
        for cell in models {
            reference[cell.rawValue] = try train(
                cell, VerificationRun.Case(), on: SelfCommunicator(), flip: nil)
            for stack in stacks {
                let record = try stack.record(
                    cell, ParallelLayout(), on: SelfCommunicator(), recomputation: nil, flip: nil)
                reference[record.cell] = record
            }
        }
        var report = Report()
        for count in ranks {
            for record in try records(ranks: count) {
                let difference = reference[record.cell].map { record.difference(from: $0) } ?? "no reference"
                report.rows.append(
                    Report.Row(run: record.title, figures: record.lines.count, firstDifference: difference))
                if !json {
                    Console.print(
                        record.title
                            + (difference.map { ": FIRST DIFFERENCE at \($0)" }
                                ?? ": \(record.lines.count) figures, no difference"))
                }
            }
        }
        guard !report.rows.isEmpty else {
            throw CommandFailure("No layout of \(ranks) ranks fits the run; use more --layers or a larger --batch.")
        }
        if json {
            Console.print(try jsonText(report))
        } else {
            Console.print("\(report.rows.count) runs, \(report.differing) differ from one rank")
        }
        if report.differing > 0 {
            throw CommandFailure("\(report.differing) of \(report.rows.count) runs do not have the bits of one rank.")
        }
    }

    /// The records of all runs of so many ranks, made by a job of its own.
    private func records(ranks count: Int) throws -> [LayoutRecord] {
        let file = FileManager.default.temporaryDirectory.appending(path: "baton-verify-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try RankLauncher.run(ranks: count, adding: ["--record", file])
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure(
                "The job of \(counted(count, "rank")) left no record; see that \(file) can be written.")
        }
        return LayoutRecord.read(text)
    }

    /// One rank of a job: trains in all layouts; rank 0 writes the records.
    private func work(recordingTo path: String) throws {
        let job = try ParallelJob()
        var text = ""
        for cell in models {
            for one in training.cases(ranks: job.communicator.size) {
                text += try train(cell, one, on: job.communicator, flip: flipped).text
            }
            for stack in stacks {
                for layout in stack.layouts(ranks: job.communicator.size) {
                    text += try stack.record(
                        cell, layout, on: job.communicator, recomputation: memory.recomputation, flip: flipped
                    ).text
                }
            }
        }
        _ = try job.share {
            try AtomicFile.write(text, to: path)
            return []
        }
        try job.finish()
    }

    private func train(
        _ cell: TrainOptions.Model, _ one: VerificationRun.Case,
        on communicator: any Communicator, flip: (rank: Int, step: Int)?
    ) throws -> LayoutRecord {
        var record = LayoutRecord(title: "\(cell.rawValue) \(one.title)")
        let trainer = try LanguageModelTrainer(
            training.configuration(cell.cell), tokens: training.tokens,
            grid: ProcessGrid(one.layout, world: communicator), schedule: one.schedule,
            recomputation: self.record == nil || one.layout.shards > 1 ? nil : memory.recomputation, output: one.output)
        while trainer.stepsDone < training.steps {
            if let flip, flip.rank == communicator.rank, flip.step == trainer.stepsDone + 1 {
                // The highest bit of a mantissa, so that it is not lost in rounding.
                let weight = trainer.arena.data.pointer(of: Float.self)
                weight[0] = Float(bitPattern: weight[0].bitPattern ^ 1 << 22)
                trainer.arena.markChanged()
            }
            let metrics = try trainer.step()
            record.add(step: metrics.step, trainer.evidence, names: trainer.parameterNames)
        }
        return record
    }
}
