import ArgumentParser

/// `baton bench`: what this machine does with the kernels, with single steps, with rows of unequal lengths, with stacks of
/// cells, with whole training steps, with one stack divided over ranks, and with sums over ranks.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract:
            "Measures kernels, latency, unequal lengths, cells, training, scaling and sums over ranks on this machine.",
        subcommands: [
            BenchKernelsCommand.self, BenchLatencyCommand.self, BenchLengthsCommand.self, BenchCellsCommand.self,
            BenchTrainCommand.self, BenchScalingCommand.self, BenchCollectiveCommand.self,
        ])
}
