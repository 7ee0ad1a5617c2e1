import Baton
import BatonChecks

/// What `plan` prints.
struct PlanReport: CommandReport {
    /// One layout.
    struct Row: Encodable {
        var layout: String
        var schedule: String?
        var chunks: Int?
        var microBatches: Int?
        /// Of stages: `last` or `spread`.
        var outputLayer: String?
        var millisecondsPerStep: Double
        var tokensPerSecond: Double
        var bytesPerRank: Double
        var bubble: Double
        var sumShare: Double
        var rowsOfProducts: Int
        /// Whether `--layout auto` takes it.
        var isChosen: Bool
        /// Where it was tried.
        var trialMillisecondsPerStep: Double?
        /// What the first rank's milliseconds go into.
        var parts: TrainFigures.Breakdown
        /// With `--check`.
        var measuredMillisecondsPerStep: Double?
        /// Predicted by the probes before, between and after the measurements, over measured.
        var predictedOverMeasured: Double?
        var measuredBytesPerRank: Double?
        var measuredParts: TrainFigures.Breakdown?
        /// Of memory.
        var predictedOverMeasuredBytes: Double? { measuredBytesPerRank.map { bytesPerRank / $0 } }

        init(_ forecast: LayoutForecast, _ plan: JobPlan) {
            isChosen = forecast == plan.best
            trialMillisecondsPerStep = plan.trial?.entries.first { $0.forecast == forecast }.map {
                $0.secondsPerStep * 1e3
            }
            let candidate = forecast.candidate
            layout = candidate.layout.description
            if candidate.layout.stages > 1 {
                schedule = candidate.schedule.rawValue
                (chunks, microBatches) = (candidate.cuts.chunks, candidate.cuts.microBatches)
                outputLayer = candidate.output == .spread ? "spread" : "last"
            }
            parts = TrainFigures.Breakdown(forecast.times)
            millisecondsPerStep = forecast.secondsPerStep * 1e3
            tokensPerSecond = forecast.tokensPerSecond
            bytesPerRank = forecast.bytesPerRank
            bubble = forecast.bubble
            sumShare = forecast.sumShare
            rowsOfProducts = forecast.rows
        }
    }

    /// How good the plan was.
    struct Check: Encodable {
        /// Measured step of the layout that was chosen, over the best measured one.
        var autoOverBest: Double
        /// Predicted over measured, of the layout for which it is farthest from 1.
        var worstPrediction: Double
        /// The same of memory.
        var worstMemory: Double
    }

    var ranks: Int
    var model: LanguageModelConfiguration
    var batch: Int
    var stepsPerWindow: Int
    var probeSeconds: Double
    var layouts: [Row]
    var reason: String
    /// Layouts these ranks cannot have.
    var omitted: [String]
    var check: Check?

    /// - Parameters:
    ///   - shown: forecasts to print, the fastest first.
    ///   - measured: what came of each of them; nil if they were not run.
    init(
        _ configuration: TrainingConfiguration, ranks: Int, plan: JobPlan, shown: [LayoutForecast],
        measured: PlanCheck?
    ) {
        self.ranks = ranks
        model = configuration.model
        batch = configuration.batch
        stepsPerWindow = configuration.stepsPerWindow
        probeSeconds = plan.probeSeconds
        layouts = shown.map { Row($0, plan) }
        reason = plan.reason
        omitted = plan.omitted
        guard let measured else { return }
        for (place, layout) in measured.layouts.enumerated() {
            layouts[place].measuredMillisecondsPerStep = layout.secondsPerStep * 1e3
            layouts[place].predictedOverMeasured = layout.predictedSecondsPerStep / layout.secondsPerStep
            layouts[place].measuredBytesPerRank = layout.bytesPerRank
            layouts[place].measuredParts = TrainFigures.Breakdown(layout.times)
        }
        func farthest(_ ratios: [Double]) -> Double { ratios.max { max($0, 1 / $0) < max($1, 1 / $1) } ?? 1 }
        check = Check(
            autoOverBest: measured.chosenOverBest,
            worstPrediction: farthest(layouts.compactMap(\.predictedOverMeasured)),
            worstMemory: farthest(layouts.compactMap(\.predictedOverMeasuredBytes)))
    }

    /// What is planned, to be printed before it is measured: that takes a while where ranks share cores.
    static func head(_ configuration: TrainingConfiguration, ranks: Int) -> String {
        let model = configuration.model
        return
            "\(model.cell.rawValue) \(model.layers)×\(model.hidden), embedding \(model.embedding), vocabulary \(model.vocabularySize); batch \(configuration.batch) × \(configuration.stepsPerWindow) on \(counted(ranks, "rank")); measuring"
    }

    /// A table for a person, to follow the head.
    var text: String {
        var lines = ["probed in \(fixed(probeSeconds, digits: 1)) s"]
        let names = layouts.map { row in
            [
                row.layout, row.schedule, row.chunks.map { "\($0) chunks" }, row.microBatches.map { "M \($0)" },
                row.outputLayer == "spread" ? "spread" : nil,
            ].compactMap { $0 }.joined(separator: " ")
        }
        let isChecked = layouts.contains { $0.measuredMillisecondsPerStep != nil }
        let table = AlignedColumns(
            widths: [max(6, names.map(\.count).max() ?? 6), 10, 10, 8, 7, 6, 5] + (isChecked ? [9, 7, 8] : []))
        lines.append(
            table.line(
                ["layout", "ms / step", "tokens/s", "MB/rank", "bubble", "sums", "rows"]
                    + (isChecked ? ["measured", "p / m", "MB there"] : [])))
        for (name, row) in zip(names, layouts) {
            lines.append(
                table.line(
                    [
                        name, fixed(row.millisecondsPerStep, digits: 2), fixed(row.tokensPerSecond, digits: 0),
                        fixed(row.bytesPerRank / 1e6, digits: 0), fixed(row.bubble * 100, digits: 1) + "%",
                        fixed(row.sumShare * 100, digits: 1) + "%", String(row.rowsOfProducts),
                    ] + measuredColumns(row)))
        }
        let chosen = layouts.firstIndex(where: \.isChosen) ?? 0
        lines.append("best: \(names.isEmpty ? "none" : names[chosen]). \(reason)")
        lines += omitted
        if let check {
            lines.append(
                "chosen / best measured \(fixed(check.autoOverBest, digits: 3)); farthest predicted / measured \(fixed(check.worstPrediction, digits: 3)), of memory \(fixed(check.worstMemory, digits: 3))"
            )
        }
        return lines.joined(separator: "\n")
    }

    private func measuredColumns(_ row: Row) -> [String] {
        guard let step = row.measuredMillisecondsPerStep, let ratio = row.predictedOverMeasured,
            let bytes = row.measuredBytesPerRank
        else { return [] }
        return [fixed(step, digits: 2), fixed(ratio, digits: 2), fixed(bytes / 1e6, digits: 0)]
    }
}
