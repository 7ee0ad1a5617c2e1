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
            them, messages and sums; the real schedules then run in a simulator with these costs. Of the layouts that come \
            out close a few real steps decide, in turns. Start the ranks with \
            launch/run -n N, so that they are bound as in training; without it --ranks starts them. --check trains a \
            little in every layout printed, in turns, and repeats the probe in between; --configurations does that for \
            every line of a file and sums up.
            """)

    @OptionGroup var subject: PlanSubject
    @Option(help: "Ranks to plan for, where launch/run has not started them (default: one per hardware thread).")
    var ranks: Int?
    @Flag(help: "Print every cut of every schedule, not only the best.") var all = false
    @Flag(help: "Then train a little in every layout printed, in turn, and compare.") var check = false
    @Option(help: "Time for --check, per layout (default: 1.5).") var seconds: Double?
    @Option(
        help: ArgumentHelp(
            "A file of configurations to check, a line of this command's model flags each.", valueName: "file"))
    var configurations: String?
    @Flag(help: "Print one JSON object.") var json = false

    private var checkSeconds: Double { seconds ?? 1.5 }

    func validate() throws {
        if let seconds {
            try FlagCheck.seconds(seconds)
            guard check || configurations != nil else {
                throw ValidationError("--seconds \(seconds) is about --check or --configurations; give one of them.")
            }
        }
        if configurations != nil, !subject.isDefault {
            throw ValidationError(
                "With --configurations the lines of the file say what is planned; put the flags of the model there.")
        }
        guard let ranks else { return }
        try FlagCheck.counts(["--ranks": ranks], limit: 256)
        if let launch = try LaunchEnvironment(), launch.size != ranks {
            throw ValidationError("--ranks is \(ranks), but \(launch.size) have been started; leave it out.")
        }
    }

    func run() throws {
        let subjects = try configurations.map(PlanSubject.read) ?? [subject]
        let workloads = try subjects.map { try $0.workload() }
        let count = ranks ?? ProcessInfo.processInfo.activeProcessorCount
        if try LaunchEnvironment() == nil, count > 1 {
            return try RankLauncher.run(ranks: count)
        }
        let job = try ParallelJob()
        try job.agree(on: [
            (
                "the flags",
                "\(try workloads.map { try jsonText($0) }) \(subjects.map(\.output.outputLayer)) \(all) \(check) \(checkSeconds)"
            )
        ])
        guard configurations != nil else {
            let report = try report(subject, workloads[0], isChecked: check, job)
            try Console.print(report, json: json)
            return try job.finish()
        }
        var reports: [PlanReport] = []
        for (subject, workload) in zip(subjects, workloads) {
            let report = try report(subject, workload, isChecked: true, job)
            if !json { Console.print(report.text + "\n") }
            reports.append(report)
        }
        let survey = PlanSurvey(reports)
        try Console.print(survey, json: json)
        try job.finish()
    }

    /// The plan of one configuration. Collective.
    private func report(
        _ subject: PlanSubject, _ workload: TrainWorkload, isChecked: Bool, _ job: ParallelJob
    ) throws -> PlanReport {
        let trained = workload.trainingConfiguration(ranks: job.communicator.size)
        if !json { Console.print(PlanReport.head(trained, ranks: job.communicator.size)) }
        let plan = try JobPlan(trained, subject.choice, job)
        let shown = all ? plan.forecasts : plan.forecasts.bestOfEach
        let measured = isChecked ? try PlanCheck(plan, shown, workload, seconds: checkSeconds, job) : nil
        return PlanReport(trained, ranks: job.communicator.size, plan: plan, shown: shown, measured: measured)
    }
}
