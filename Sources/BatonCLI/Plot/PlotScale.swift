import Glibc

/// A linear axis: the numbers it spans and the round numbers marked on it.
struct PlotScale: Equatable {
    let lower: Double
    let upper: Double
    let ticks: [Double]
    /// Digits after the point that tell the ticks apart.
    let digits: Int

    /// An axis that spans the numbers, with about so many ticks at multiples of 1, 2 or 5 times a power of ten.
    ///
    /// With `rounded` the axis ends on ticks, else on the smallest and largest number.
    init(spanning values: ClosedRange<Double>, tickCount: Int, rounded: Bool) {
        var (low, high) = (values.lowerBound, values.upperBound)
        if low == high {
            let margin = max(abs(low) * 0.1, 0.5)
            low -= margin
            high += margin
        }
        let rough = (high - low) / Double(max(tickCount, 1))
        let power = pow(10, floor(log10(rough)))
        let step = [1.0, 2, 5, 10].first { $0 * power >= rough * 0.999 }.map { $0 * power } ?? 10 * power
        let first = rounded ? floor(low / step) : ceil(low / step)
        let last = rounded ? ceil(high / step) : floor(high / step)
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        lower = rounded ? first * step : low
        upper = rounded ? last * step : high
        digits = max(0, -Int(floor(log10(step) + 1e-9)))
    }

    /// Where a number lies between the ends: 0 at `lower`, 1 at `upper`.
    func fraction(of value: Double) -> Double { (value - lower) / (upper - lower) }

    /// The text beside a tick.
    func label(_ tick: Double) -> String {
        if digits == 0 && abs(tick) >= 10_000 {
            return abs(tick) >= 1e6 ? trimmed(tick / 1e6) + " M" : trimmed(tick / 1e3) + " k"
        }
        return fixed(tick, digits: digits)
    }

    private func trimmed(_ value: Double) -> String {
        value == value.rounded() ? fixed(value, digits: 0) : fixed(value, digits: 1)
    }
}
