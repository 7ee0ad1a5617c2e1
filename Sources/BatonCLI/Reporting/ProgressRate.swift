import Glibc

/// Tokens per second and time left, smoothed over the last half minute or so.
struct ProgressRate {
    /// Seconds after which an old measurement counts 1/e.
    private static let memory = 15.0

    private var step: Int
    private var time: Double
    private var steps = 0.0
    private var tokens = 0.0
    private var seconds = 0.0

    init(startStep: Int, now: Double) {
        step = startStep
        time = now
    }

    /// Notes the steps since the last call, and their tokens.
    mutating func advance(to step: Int, tokens newTokens: Int, now: Double) {
        let elapsed = max(now - time, 0)
        let keep = exp(-elapsed / ProgressRate.memory)
        steps = steps * keep + Double(step - self.step)
        tokens = tokens * keep + Double(newTokens)
        seconds = seconds * keep + elapsed
        self.step = step
        time = now
    }

    /// Tokens per second; nil before anything was measured.
    var tokensPerSecond: Double? { seconds > 0 ? tokens / seconds : nil }

    /// Seconds until a step; nil before anything was measured.
    func remaining(to total: Int) -> Double? {
        steps > 0 ? Double(max(total - step, 0)) * seconds / steps : nil
    }

    var tokensText: String {
        guard let rate = tokensPerSecond else { return "– tokens/s" }
        if rate >= 1e6 { return fixed(rate / 1e6, digits: 2) + " M tokens/s" }
        if rate >= 1e4 { return fixed(rate / 1e3, digits: 0) + " k tokens/s" }
        return fixed(rate, digits: 0) + " tokens/s"
    }

    func remainingText(to total: Int) -> String { remaining(to: total).map(ProgressRate.clock) ?? "–" }

    /// `m:ss`, or `h:mm:ss` from an hour on.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 1e9))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
    }
}
