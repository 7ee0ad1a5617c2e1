import Baton

/// What `plan` prints.
struct PlanReport: Encodable {
    /// One layout.
    struct Row: Encodable {
        var layout: String
        var schedule: String?
        var chunks: Int?
        var microBatches: Int?
        var millisecondsPerStep: Double
        var tokensPerSecond: Double
        var bytesPerRank: Double
        var bubble: Double
        var sumShare: Double
        var rowsOfProducts: Int
        /// With `--check`.
        var measuredMillisecondsPerStep: Double?

        enum CodingKeys: String, CodingKey {
            case layout, schedule, chunks, bubble
            case microBatches = "micro_batches"
            case millisecondsPerStep = "milliseconds_per_step"
            case tokensPerSecond = "tokens_per_second"
            case bytesPerRank = "bytes_per_rank"
            case sumShare = "sum_share"
            case rowsOfProducts = "rows_of_products"
            case measuredMillisecondsPerStep = "measured_milliseconds_per_step"
        }

        init(_ forecast: LayoutForecast) {
            let candidate = forecast.candidate
            layout = candidate.layout.description
            if candidate.layout.stages > 1 {
                schedule = candidate.schedule.rawValue
                (chunks, microBatches) = (candidate.cuts.chunks, candidate.cuts.microBatches)
            }
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
        /// Measured step of the layout that was predicted best, over the best measured one.
        var autoOverBest: Double
        /// Predicted over measured, of the layout for which it is farthest from 1.
        var worstPrediction: Double

        enum CodingKeys: String, CodingKey {
            case autoOverBest = "auto_over_best"
            case worstPrediction = "worst_prediction"
        }
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

    enum CodingKeys: String, CodingKey {
        case ranks, model, batch, layouts, reason, omitted, check
        case stepsPerWindow = "steps_per_window"
        case probeSeconds = "probe_seconds"
    }

    /// - Parameters:
    ///   - shown: forecasts to print, the fastest first.
    ///   - measured: seconds per step of each of them; nil if they were not run.
    init(
        _ configuration: TrainingConfiguration, ranks: Int, plan: JobPlan, shown: [LayoutForecast], measured: [Double]?
    ) {
        self.ranks = ranks
        model = configuration.model
        batch = configuration.batch
        stepsPerWindow = configuration.stepsPerWindow
        probeSeconds = plan.probeSeconds
        layouts = shown.map(Row.init)
        reason = plan.best.reason(among: plan.forecasts)
        omitted = plan.omitted
        guard let measured, let least = measured.min() else { return }
        for (place, seconds) in measured.enumerated() { layouts[place].measuredMillisecondsPerStep = seconds * 1e3 }
        let ratios = zip(shown, measured).map { $0.secondsPerStep / $1 }
        check = Check(
            autoOverBest: measured[0] / least,
            worstPrediction: ratios.max { max($0, 1 / $0) < max($1, 1 / $1) } ?? 1)
    }

    /// A table for a person.
    var text: String {
        var lines = [
            "\(model.cell.rawValue) \(model.layers)×\(model.hidden), embedding \(model.embedding), vocabulary \(model.vocabularySize); batch \(batch) × \(stepsPerWindow) on \(ranks) rank\(ranks == 1 ? "" : "s"); probed in \(fixed(probeSeconds, digits: 1)) s"
        ]
        let names = layouts.map { row in
            [row.layout, row.schedule, row.chunks.map { "\($0) chunks" }, row.microBatches.map { "M \($0)" }]
                .compactMap { $0 }.joined(separator: " ")
        }
        let isChecked = layouts.contains { $0.measuredMillisecondsPerStep != nil }
        let table = AlignedColumns(
            widths: [max(6, names.map(\.count).max() ?? 6), 10, 10, 8, 7, 6, 5] + (isChecked ? [9] : []))
        lines.append(
            table.line(
                ["layout", "ms / step", "tokens/s", "MB/rank", "bubble", "sums", "rows"]
                    + (isChecked ? ["measured"] : [])))
        for (name, row) in zip(names, layouts) {
            lines.append(
                table.line(
                    [
                        name, fixed(row.millisecondsPerStep, digits: 2), fixed(row.tokensPerSecond, digits: 0),
                        fixed(row.bytesPerRank / 1e6, digits: 0), fixed(row.bubble * 100, digits: 1) + "%",
                        fixed(row.sumShare * 100, digits: 1) + "%", String(row.rowsOfProducts),
                    ] + (row.measuredMillisecondsPerStep.map { [fixed($0, digits: 2)] } ?? [])))
        }
        lines.append("best: \(names.first ?? "none"). \(reason)")
        lines += omitted
        if let check {
            lines.append(
                "predicted best / best measured \(fixed(check.autoOverBest, digits: 3)); farthest predicted / measured \(fixed(check.worstPrediction, digits: 3))"
            )
        }
        return lines.joined(separator: "\n")
    }
}
