import ArgumentParser
import Baton

/// `baton generate`: text from a trained model.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Writes text with a trained language model.")

    @Argument(help: ArgumentHelp("Directory of a run, or a checkpoint file.", valueName: "run")) var source: String
    @Option(help: "Text to go on from (default: a newline, or <eos> for words).") var prompt: String?
    @Option(help: "Tokens to write.") var length = 500
    @Option(help: "Temperature; 0 always takes the most likely token.") var temperature = 0.8
    @Option(help: "Seed of the draws.") var seed: UInt64 = 1

    func validate() throws {
        guard length >= 0 else { throw ValidationError("--length is \(length), expected 0 or more.") }
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature is \(temperature), expected 0 or more.")
        }
    }

    func run() throws {
        let checkpoint = try RunDirectory.checkpoint(at: source) { Console.complain("baton: \($0)") }
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
        let generator = TextGenerator(try checkpoint.makeModel(), temperature: temperature, seed: seed)
        tokens = generator.generate(prompt: tokens, length: length)
        Console.print(try vocabulary.decode(shown + tokens))
    }
}
