import ArgumentParser
import Baton

/// `baton generate`: text from a trained model.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Writes text with a trained language model.",
        discussion: "Several ranks divide the layers (pp) or hidden units (shard); start them with launch/run.")

    @Argument(help: ArgumentHelp("Directory of a run, or a checkpoint file.", valueName: "run")) var source: String
    @Option(parsing: .unconditional, help: "Text to go on from (default: a newline, or <eos> for words).") var prompt:
        String?
    @Option(help: "Tokens to write.") var length = 500
    @Option(help: "Temperature; 0 always takes the most likely token.") var temperature = 0.8
    @Option(help: "Seed of the draws.") var seed: UInt64 = 1
    @OptionGroup var weights: PrecisionOption
    @OptionGroup var layout: LayoutOption

    func validate() throws {
        if let asked = try layout.parsed(), asked.replicas > 1 {
            throw ValidationError("--layout \(asked): one text cannot be divided over replicas; use pp and shard.")
        }
        try FlagCheck.lengths(["--length": length])
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature is \(temperature), expected 0 or more.")
        }
    }

    func run() throws {
        try weights.check()
        let job = try ParallelJob()
        let (file, checkpoint) = try RunDirectory.checkpoint(at: source) { Console.complain("baton: \($0)") }
        let vocabulary = checkpoint.vocabulary
        // Without a prompt a newline; a vocabulary of characters need not have one.
        var tokens = try prompt.map { try vocabulary.encode($0) } ?? (try? vocabulary.encode("\n")) ?? []
        if tokens.isEmpty {
            guard prompt != nil else {
                throw CommandFailure("The vocabulary has no newline to start from; give --prompt.")
            }
            throw CommandFailure("--prompt is empty; give at least one token.")
        }
        let shown = prompt == nil ? [] : tokens
        try job.agree(on: [
            ("the checkpoint (SHA-256)", try SHA256Digest(ofFile: file).description),
            ("the flags", "\(tokens) \(length) \(temperature) \(seed) \(weights.precision) \(layout.layout ?? "")"),
        ])
        let sizes = checkpoint.snapshot.configuration.model
        func generator(_ parallel: ParallelLayout) throws -> TextGenerator {
            let partition = try layout.fitting { try StagePartition(sizes, stages: parallel.stages) }
            let grid = try ProcessGrid(parallel, world: job.communicator)
            let model = try checkpoint.makeModel(layers: partition.stages[grid.place.stage])
            model.recurrent.inferencePrecision = weights.precision
            return try TextGenerator(model, temperature: temperature, seed: seed, grid: grid)
        }
        let layouts = try InferenceLayouts(
            sizes, world: job.communicator, dividesLanes: false, rows: tokens.count)
        let parallel = try layout.chosen(among: layouts, job) { parallel in
            let generator = try generator(parallel)
            return { _ = try generator.generate(prompt: Array(tokens.prefix(1)), length: 16) }
        }
        tokens = try generator(parallel).generate(prompt: tokens, length: length)
        Console.print(try vocabulary.decode(shown + tokens))
        try job.finish()
    }
}
