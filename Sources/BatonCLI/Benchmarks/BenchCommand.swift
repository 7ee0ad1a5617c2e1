import ArgumentParser

/// `baton bench`: what this machine does with the kernels, with single steps, with rows of unequal lengths and with whole training steps.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures kernels, latency, training and scaling on this machine.",
        subcommands: [
            BenchKernelsCommand.self, BenchLatencyCommand.self, BenchLengthsCommand.self, BenchCellsCommand.self,
            BenchTrainCommand.self, BenchScalingCommand.self, BenchCollectiveCommand.self,
        ])
}
