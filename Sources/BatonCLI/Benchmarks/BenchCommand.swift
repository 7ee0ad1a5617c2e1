import ArgumentParser

/// `baton bench`: what this machine does with the kernels, with single steps and with whole training steps.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures kernels, latency and training on this machine.",
        subcommands: [BenchKernelsCommand.self, BenchLatencyCommand.self, BenchTrainCommand.self])
}
