import BatonChecks
import BatonComm

extension LayoutForecast {
    /// One sentence that says why a layout is the best of those that were considered.
    ///
    /// - Parameter others: The forecasts of the same run, the fastest first; this one may be among them.
    public func reason(among others: [LayoutForecast]) -> String {
        let rivals = others.filter { $0.candidate.layout != candidate.layout }
        guard let rival = rivals.min(by: { $0.secondsPerStep < $1.secondsPerStep }) else {
            guard let other = others.first(where: { $0.candidate != candidate }) else {
                return "It is the only layout for these ranks."
            }
            return
                "Of the schedules for \(candidate.layout) it waits \(percent(bubble)) of the time where \(other.candidate) waits \(percent(other.bubble))."
        }
        var causes: [String] = []
        if rows > rival.rows {
            causes.append(
                "its products have \(counted(rows, "row")) where those of \(rival.candidate.layout) have \(rival.rows)")
        }
        if sumShare + 0.001 < rival.sumShare {
            causes.append(
                "it spends \(percent(sumShare)) of a step in sums of gradients where \(rival.candidate.layout) spends \(percent(rival.sumShare))"
            )
        }
        if bubble + 0.001 < rival.bubble {
            causes.append(
                "its ranks wait for each other \(percent(bubble)) of the time where those of \(rival.candidate.layout) wait \(percent(rival.bubble))"
            )
        }
        if causes.isEmpty { causes.append("its parts take less time together") }
        let gain = rival.secondsPerStep / secondsPerStep - 1
        return
            "A step of the next best, \(rival.candidate), takes \(percent(gain)) longer: "
            + causes.joined(separator: ", and ") + "."
    }

    private func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(abs(tenths % 10)) %"
    }
}

extension [LayoutForecast] {
    /// The fastest cut of every layout and schedule, the fastest first.
    public var bestOfEach: [LayoutForecast] {
        var seen = Set<String>()
        return sorted { $0.secondsPerStep < $1.secondsPerStep }.filter {
            let stages = $0.candidate.layout.stages
            return seen.insert("\($0.candidate.layout) \(stages > 1 ? $0.candidate.schedule.rawValue : "")").inserted
        }
    }
}
