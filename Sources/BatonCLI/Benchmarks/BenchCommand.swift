import ArgumentParser

/// `baton bench`: what this machine does with the kernels and with whole training steps.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures kernels and training on this machine.",
        subcommands: [BenchKernelsCommand.self, BenchTrainCommand.self])
}
