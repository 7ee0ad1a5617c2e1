import ArgumentParser

/// The root of the command line.
struct BatonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baton",
        abstract: "Trains and runs recurrent sequence models (RNN, LSTM, GRU) on one process or many.",
        discussion: """
            Exit status: 0 done, 1 failed, 2 wrong usage. BATON_ISA=baseline|avx2|avx512 and \
            BATON_KERNELS=auto|packed|blas choose the kernels.
            """,
        subcommands: [
            TrainCommand.self, EvalCommand.self, GenerateCommand.self, RunCommand.self, ConvertCommand.self,
            InspectCommand.self, VerifyLayoutCommand.self, PlanCommand.self, BenchCommand.self, InfoCommand.self,
        ])
}
