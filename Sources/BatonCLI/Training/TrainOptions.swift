import ArgumentParser
import Baton

/// The flags of `train` that decide the numbers of a run. All are optional here, so that a resumed run can tell a
/// flag that was given from one that was not.
struct TrainOptions: ParsableArguments {
    /// What can be trained.
    enum Task: String, ExpressibleByArgument, CaseIterable { case lm }
    /// Recurrent cells by their names on the command line.
    enum Model: String, ExpressibleByArgument, CaseIterable {
        case rnn, lstm, gru

        var cell: RecurrentKind {
            switch self {
            case .rnn: .rnnTanh
            case .lstm: .lstm
            case .gru: .gru
            }
        }
    }
    /// What one token of a text is.
    enum Tokens: String, ExpressibleByArgument, CaseIterable {
        case chars, words

        var tokenization: Tokenization { self == .chars ? .characters : .words }
    }

    @Option(help: "The task: lm, a language model over text.") var task = Task.lm
    @Option(parsing: .upToNextOption, help: "Text files, joined in this order.") var data: [String]
    @Option(help: "Recurrent cell: rnn (tanh), lstm or gru (default: lstm).") var model: Model?
    @Option(help: "Number of recurrent layers (default: 2).") var layers: Int?
    @Option(help: "Hidden units per layer (default: 256).") var hidden: Int?
    @Option(help: "Width of the embedding (default: 64).") var embed: Int?
    @Option(help: "Fraction dropped between layers in training (default: 0.2).") var dropout: Double?
    @Option(help: "What a token is: chars or words (default: chars).") var tokens: Tokens?
    @Option(help: "Share of the text, at its end, kept for validation (default: 0.1).") var validSplit: Double?
    @Option(help: "Lanes of text over all ranks (default: 64).") var batch: Int?
    @Option(help: "Time steps per window (default: 64).") var stepsPerWindow: Int?
    @Option(help: "Passes over the training text (default: 6).") var epochs: Int?
    @Option(help: "Length of the run in steps, instead of --epochs.") var maxSteps: Int?
    @Option(help: "Optimizer: sgd, adam or adamw (default: adam).") var optimizer: OptimizerName?
    @Option(help: "Learning rate (default: 0.002).") var lr: Double?
    @Option(help: "Schedule: constant, linear:FRACTION or cosine (default: linear:0.05).") var lrSchedule: String?
    @Option(help: "Weight decay (default: 0; adamw 0.01).") var weightDecay: Double?
    @Option(help: "Momentum of sgd (default: 0).") var momentum: Double?
    @Option(help: "Largest global gradient norm; 0 does not clip (default: 1).") var clip: Double?
    @Option(help: "Seed of all random numbers (default: 1).") var seed: UInt64?

    /// Optimisers by their names on the command line.
    enum OptimizerName: String, ExpressibleByArgument, CaseIterable {
        case sgd, adam, adamw

        var kind: TrainingConfiguration.OptimizerKind {
            switch self {
            case .sgd: .sgd
            case .adam: .adam
            case .adamw: .adamw
            }
        }
    }

    func validate() throws {
        try FlagCheck.counts([
            "--layers": layers, "--hidden": hidden, "--embed": embed, "--batch": batch,
            "--steps-per-window": stepsPerWindow, "--epochs": epochs, "--max-steps": maxSteps,
        ])
        try FlagCheck.fractions(["--dropout": dropout, "--valid-split": validSplit, "--momentum": momentum])
        if epochs != nil && maxSteps != nil { throw ValidationError("Give --epochs or --max-steps, not both.") }
        // Written so that NaN is refused too.
        if let lr, !(lr > 0 && lr.isFinite) { throw ValidationError("--lr is \(lr), expected a number above 0.") }
        if let clip, !(clip >= 0 && clip.isFinite) { throw ValidationError("--clip is \(clip), expected 0 or more.") }
        if let weightDecay, !(weightDecay >= 0 && weightDecay.isFinite) {
            throw ValidationError("--weight-decay is \(weightDecay), expected 0 or more.")
        }
        if let lrSchedule {
            do { _ = try LearningRateSchedule(lrSchedule) } catch { throw ValidationError(error.message) }
        }
    }

    /// The product, or where there is none the largest integer, which no run accepts as its length.
    private static func product(_ left: Int, _ right: Int) -> Int {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    /// The configuration these flags ask for, on top of a run that is resumed or of the defaults.
    ///
    /// - Parameter windowsPerEpoch: windows of the text for a batch and steps per window.
    func configuration(
        vocabularySize: Int, base: TrainingConfiguration?, windowsPerEpoch: (Int, Int) throws -> Int
    ) throws -> TrainingConfiguration {
        let batch = batch ?? base?.batch ?? 64
        let steps = stepsPerWindow ?? base?.stepsPerWindow ?? 64
        let kind = optimizer?.kind ?? base?.optimizer ?? .adam
        if let momentum, momentum > 0, kind != .sgd {
            throw ValidationError(
                "--momentum \(momentum) is for --optimizer sgd, and this run's is \(kind.rawValue); leave it out.")
        }
        let total =
            if let maxSteps { maxSteps } else if let base, epochs == nil { base.totalSteps } else {
                try Self.product(epochs ?? 6, windowsPerEpoch(batch, steps))
            }
        let bound = clip ?? base.map { $0.clip ?? 0 } ?? 1
        return TrainingConfiguration(
            model: try LanguageModelConfiguration(
                cell: model?.cell ?? base?.model.cell ?? .lstm, vocabularySize: vocabularySize,
                embedding: embed ?? base?.model.embedding ?? 64, hidden: hidden ?? base?.model.hidden ?? 256,
                layers: layers ?? base?.model.layers ?? 2, dropout: dropout ?? base?.model.dropout ?? 0.2),
            batch: batch, stepsPerWindow: steps, totalSteps: total, optimizer: kind,
            learningRate: lr ?? base?.learningRate ?? 2e-3,
            schedule: try lrSchedule.map { try LearningRateSchedule($0) } ?? base?.schedule
                ?? .linear(finalFraction: 0.05),
            weightDecay: weightDecay ?? base?.weightDecay ?? (kind == .adamw ? 0.01 : 0),
            momentum: momentum ?? base?.momentum ?? 0, clip: bound > 0 ? bound : nil,
            seed: seed ?? base?.seed ?? 1, leafCount: LeafPlan.leafCount(rows: batch))
    }
}
