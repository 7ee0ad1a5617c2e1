import ArgumentParser
import Baton
import FoundationEssentials

/// `baton plan`: which layout trains a model fastest on this machine.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Predicts step time and memory of every layout of some ranks, best first.",
        discussion: """
            A probe of a second or, for large models, a few measures the layers of the model at the numbers of rows that layouts would give \
            them, messages and sums; the real schedules then run in a simulator with these costs. Start the ranks with \
            launch/run -n N, so that they are bound as in training; without it --ranks starts them.
            """)

    @OptionGroup var model: BenchModelOptions
    @Option(help: "Lanes of text over all ranks.") var batch = 64
    @Option(help: "Ranks to plan for, where launch/run has not started them (default: one per core).") var ranks: Int?
    @Flag(help: "Print every cut of every schedule, not only the best.") var all = false
    @Flag(help: "Then train a little in every layout printed, in turn, and compare.") var check = false
    @Option(help: "Time for --check, per layout.") var seconds = 1.5
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard 1...1_000_000 ~= batch else {
            throw ValidationError("--batch is \(batch), expected 1 to 1000000.")
        }
        guard seconds >= 0, seconds <= 3600 else {
            throw ValidationError("--seconds is \(seconds), expected 0 to 3600.")
        }
        guard let ranks else { return }
        guard 1...256 ~= ranks else { throw ValidationError("--ranks is \(ranks), expected 1 to 256.") }
        if let launch = try LaunchEnvironment(), launch.size != ranks {
            throw ValidationError("--ranks is \(ranks), but \(launch.size) have been started; leave it out.")
        }
    }

    func run() throws {
        let count = ranks ?? ProcessInfo.processInfo.activeProcessorCount
        if try LaunchEnvironment() == nil, count > 1 {
            let outcome = try RankLauncher.run(ranks: count, Array(CommandLine.arguments.dropFirst()))
            guard outcome.status == 0 else { throw CommandFailure("The ranks failed: \(outcome.error)") }
            return
        }
        let workload = TrainWorkload(
            model: try model.configuration, lanesPerRank: batch, lanesOfBatch: batch,
            stepsPerWindow: model.stepsPerWindow)
        try workload.check()
        let job = try ParallelJob()
        try job.agree(on: [("the flags", "\(try jsonText(workload)) \(all) \(check) \(seconds)")])
        let trained = workload.trainingConfiguration(ranks: job.communicator.size)
        let plan = try JobPlan(trained, job)
        let shown = all ? plan.forecasts : plan.forecasts.bestOfEach
        let measured = check ? try measure(shown, workload, job.communicator) : nil
        let report = PlanReport(trained, ranks: job.communicator.size, plan: plan, shown: shown, measured: measured)
        Console.print(json ? try jsonText(report) : report.text)
        try job.finish()
    }

    /// Median seconds per step of every layout, on rank 0. Collective.
    private func measure(
        _ shown: [LayoutForecast], _ workload: TrainWorkload, _ world: any Communicator
    ) throws -> [Double] {
        var rounds = try shown.map { try TrainRounds(workload, $0.candidate, communicator: world) }
        // Turns, so that a machine that gets slower or faster does so for all.
        let turns = 3
        for _ in 0..<turns {
            for place in rounds.indices { try rounds[place].run(seconds: seconds / Double(turns)) }
        }
        return rounds.map { median($0.tally.stepSeconds) }
    }
}
