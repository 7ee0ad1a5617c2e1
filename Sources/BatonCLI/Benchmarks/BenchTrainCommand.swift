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
            measures both in turn and prints their ratio. Start several ranks with launch/run.
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

    @Option(help: "Recurrent cell: rnn (tanh), lstm or gru.") var model = TrainOptions.Model.lstm
    @Option(help: "Number of recurrent layers.") var layers = 2
    @Option(help: "Hidden units per layer.") var hidden = 256
    @Option(help: "Width of the embedding.") var embed = 64
    @Option(help: "Lanes of text per rank.") var batch = 64
    @Option(help: "Time steps per window.") var stepsPerWindow = 64
    @Option(help: "Fraction dropped.") var dropout = 0.2
    @Option(help: "Size of the vocabulary.") var vocab = 65
    @Option(help: "Time per measurement.") var seconds = 5.0
    @Flag var mode = Mode.coupled
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        for (name, value) in [
            ("--layers", layers), ("--hidden", hidden), ("--embed", embed), ("--batch", batch),
            ("--steps-per-window", stepsPerWindow), ("--vocab", vocab),
        ] where !(1...1_000_000 ~= value) {
            throw ValidationError("\(name) is \(value), expected 1 to 1000000.")
        }
        // Written so that NaN is refused too.
        guard dropout >= 0, dropout < 1 else {
            throw ValidationError("--dropout is \(dropout), expected 0 or more and less than 1.")
        }
        guard seconds >= 0, seconds <= 3600 else {
            throw ValidationError("--seconds is \(seconds), expected 0 to 3600.")
        }
        if mode == .compare, try LaunchEnvironment()?.size ?? 1 < 2 {
            throw ValidationError("--compare needs at least 2 ranks; start with launch/run -n 2.")
        }
    }

    func run() throws {
        let workload = TrainWorkload(
            model: try LanguageModelConfiguration(
                cell: model.cell, vocabularySize: vocab, embedding: embed, hidden: hidden, layers: layers,
                dropout: dropout),
            lanesPerRank: batch, stepsPerWindow: stepsPerWindow)
        try workload.check()
        let job = try ParallelJob()
        let communicator = job.communicator
        try job.agree(on: [("the flags", "\(try jsonText(workload)) \(seconds) \(mode)")])
        let coupling = mode == .compare ? [true, false] : [mode == .coupled]
        var rounds = try coupling.map { try TrainRounds(workload, isCoupled: $0, communicator: communicator) }
        // Turns, so that a machine that gets slower or faster does so for both.
        let turns = mode == .compare ? 3 : 1
        var peak = try busyPeak(communicator)
        for _ in 0..<turns {
            for index in rounds.indices {
                try rounds[index].run(seconds: seconds / Double(turns))
                peak = max(peak, try busyPeak(communicator))
            }
        }
        let total = try gathered([peak], on: communicator).reduce(0) { $0 + $1[0] }
        let lanes = try gathered([Double(rounds[0].lanes)], on: communicator).map { Int($0[0]) }
        let figures = try zip(coupling, rounds).map { isCoupled, rounds in
            try TrainFigures(
                rounds.tally, isCoupled: isCoupled, workload: workload, peak: total, communicator: communicator)
        }
        let report = TrainReport(
            workload: workload, ranks: communicator.size, parameters: rounds[0].parameterCount,
            lanes: (lanes.min() ?? batch)...(lanes.max() ?? batch),
            peakPerRank: total / Double(communicator.size), figures: figures)
        Console.print(json ? try jsonText(report) : report.text)
        try job.finish()
    }

    /// This rank's peak while all ranks measure theirs. Collective.
    private func busyPeak(_ communicator: any Communicator) throws -> Double {
        try communicator.barrier()
        return CoreCeilings.peak()
    }
}
