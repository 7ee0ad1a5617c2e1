import ArgumentParser
import Baton
import BatonChecks
import Glibc

/// `baton eval`: the loss of a trained model on a text.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Scores a text with a trained language model.")

    /// What is printed.
    struct Report: CommandReport {
        var natsPerToken: Double
        var bitsPerToken: Double
        var perplexity: Double
        var tokens: Int
        /// Those at the end of the text that fill no lane.
        var unscoredTokens: Int
        var step: Int
        var precision: String

        var text: String {
            "loss \(fixed(natsPerToken, digits: 4)) nats per token (\(fixed(bitsPerToken, digits: 4)) bits), perplexity \(fixed(perplexity, digits: 3)), \(counted(tokens, "token"))\(unscoredTokens == 0 ? "" : " (all but \(unscoredTokens) at the end, which fill no lane)"), after step \(step)\(precision == "float32" ? "" : ", weights in \(precision)")"
        }
    }

    @Argument(help: ArgumentHelp("Directory of a run, or a checkpoint file.", valueName: "run")) var source: String
    @Option(parsing: .upToNextOption, help: "Text files, joined in this order.") var data: [String]
    @Option(
        help:
            "Score only this share at the end of the text (training's --valid-split); 0 scores all of it. It is cut into up to 32 lanes of equal length, each of which begins from states of zero; fewer tokens than lanes may be left over."
    )
    var validSplit = 0.0
    @OptionGroup var weights: PrecisionOption
    @OptionGroup var layout: LayoutOption
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        _ = try layout.parsed()
        try FlagCheck.fractions(["--valid-split": validSplit])
    }

    func run() throws {
        try weights.check()
        let job = try ParallelJob()
        let text = try TextSource.read(paths: data)
        let (file, checkpoint) = try RunDirectory.checkpoint(at: source) { Console.complain("baton: \($0)") }
        try job.agree(on: [
            ("the text (SHA-256)", SHA256Digest(of: Array(text.utf8)).description),
            ("the checkpoint (SHA-256)", try SHA256Digest(ofFile: file).description),
            ("the flags", "\(validSplit) \(weights.precision) \(layout.layout ?? "")"),
        ])
        let corpus = try TextCorpus(text: text, vocabulary: checkpoint.vocabulary, validationFraction: validSplit)
        let (sizes, steps) = (checkpoint.snapshot.configuration.model, checkpoint.snapshot.configuration.stepsPerWindow)
        func evaluation(
            _ parallel: ParallelLayout, of tokens: [Int32]
        ) throws -> () throws -> (loss: Double, tokens: Int) {
            let partition = try layout.fitting { try StagePartition(sizes, stages: parallel.stages) }
            let grid = try ProcessGrid(parallel, world: job.communicator)
            let model = try checkpoint.makeModel(layers: partition.stages[grid.place.stage])
            model.recurrent.inferencePrecision = weights.precision
            let evaluator = try LanguageModelEvaluator(tokens: tokens, steps: steps, grid: grid)
            return { try evaluator.evaluate(model) }
        }
        let scored = validSplit > 0 ? corpus.validation : corpus.training
        let layouts = try InferenceLayouts(
            sizes, world: job.communicator, dividesLanes: true, rows: LanguageModelEvaluator.mostLanes * steps)
        let parallel = try layout.chosen(among: layouts, job) { parallel in
            // Two windows of as many lanes as a long text has.
            let evaluate = try evaluation(parallel, of: Array(scored.prefix(64 * steps + 1)))
            return { _ = try evaluate() }
        }
        let (loss, tokens) = try evaluation(parallel, of: scored)()
        let report = Report(
            natsPerToken: loss, bitsPerToken: loss / log(2), perplexity: exp(loss), tokens: tokens,
            unscoredTokens: scored.count - 1 - tokens, step: checkpoint.snapshot.stepsDone,
            precision: weights.precision.rawValue)
        try Console.print(report, json: json)
        try job.finish()
    }
}
