import ArgumentParser
import Baton

/// The language model that is trained to be measured, and the length of its windows.
struct BenchModelOptions: ParsableArguments {
    @Option(help: "Recurrent cell: rnn (tanh), lstm or gru.") var model = TrainOptions.Model.lstm
    @Option(help: "Number of recurrent layers.") var layers = 2
    @Option(help: "Hidden units per layer.") var hidden = 256
    @Option(help: "Width of the embedding.") var embed = 64
    @Option(help: "Fraction dropped.") var dropout = 0.2
    @Option(help: "Size of the vocabulary.") var vocab = 65
    @Option(help: "Time steps per window.") var stepsPerWindow = 64

    func validate() throws {
        try FlagCheck.counts(
            [
                "--layers": layers, "--hidden": hidden, "--embed": embed, "--vocab": vocab,
                "--steps-per-window": stepsPerWindow,
            ], limit: 1_000_000)
        try FlagCheck.fractions(["--dropout": dropout])
    }

    /// The model.
    ///
    /// - Throws: `EngineError` for figures that do not go together.
    var configuration: LanguageModelConfiguration {
        get throws {
            try LanguageModelConfiguration(
                cell: model.cell, vocabularySize: vocab, embedding: embed, hidden: hidden, layers: layers,
                dropout: dropout)
        }
    }
}
