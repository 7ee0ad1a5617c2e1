import Baton

/// How good plans were over many configurations: what `plan --configurations` prints at its end.
struct PlanSurvey: CommandReport {
    var configurations: Int
    /// Of these, the chosen layout took at most 5 % longer than the best measured one.
    var autoWithin5Percent: Int
    var worstAutoOverBest: Double
    /// Layouts measured.
    var layouts: Int
    /// Of these, step time predicted within 20 %.
    var timesWithin20Percent: Int
    /// Median of predicted over measured.
    var medianPredictedOverMeasured: Double
    /// The same of the layouts that were chosen.
    var bestTimesWithin20Percent: Int
    /// Of the layouts, memory predicted within 20 %.
    var memoryWithin20Percent: Int
    /// The plans.
    var plans: [PlanReport]

    enum CodingKeys: String, CodingKey {
        case configurations, layouts, plans
        case autoWithin5Percent = "auto_within_5_percent"
        case worstAutoOverBest = "worst_auto_over_best"
        case timesWithin20Percent = "times_within_20_percent"
        case medianPredictedOverMeasured = "median_predicted_over_measured"
        case bestTimesWithin20Percent = "best_times_within_20_percent"
        case memoryWithin20Percent = "memory_within_20_percent"
    }

    /// - Parameter plans: checked, at least one.
    init(_ plans: [PlanReport]) {
        self.plans = plans
        let ratios = plans.map { $0.layouts.compactMap(\.predictedOverMeasured) }
        let memory = plans.flatMap { $0.layouts.compactMap(\.predictedOverMeasuredBytes) }
        let best = plans.compactMap { $0.check?.autoOverBest }
        configurations = plans.count
        autoWithin5Percent = best.count { $0 <= 1.05 }
        worstAutoOverBest = best.max() ?? 1
        layouts = ratios.joined().count
        timesWithin20Percent = ratios.joined().count(where: Self.isClose)
        medianPredictedOverMeasured = ratios.joined().isEmpty ? 1 : median(Array(ratios.joined()))
        bestTimesWithin20Percent = plans.flatMap(\.layouts).filter(\.isChosen).compactMap(\.predictedOverMeasured)
            .count(where: Self.isClose)
        memoryWithin20Percent = memory.count(where: Self.isClose)
    }

    private static func isClose(_ ratio: Double) -> Bool { 0.8...1.2 ~= ratio }

    /// The figures for a person.
    var text: String {
        """
        \(configurations) configurations: the layout chosen within 5 % of the best in \(autoWithin5Percent), at worst \(fixed(worstAutoOverBest, digits: 3))
        \(layouts) layouts: step time predicted within 20 % in \(timesWithin20Percent) (of those chosen \(bestTimesWithin20Percent) of \(configurations)), median of predicted / measured \(fixed(medianPredictedOverMeasured, digits: 3)); memory in \(memoryWithin20Percent)
        """
    }
}
