import Glibc

/// A point of a curve.
struct PlotPoint: Equatable {
    var x: Double
    var y: Double
}

/// What is done to a curve before it is drawn.
enum PlotCurve {
    /// The curve's course without its noise: at every point the average of its neighbors on both sides, their weights
    /// falling by 1/e every `count / 100` points.
    ///
    /// Points whose value is not finite are left out.
    static func smoothed(_ points: [PlotPoint]) -> [PlotPoint] {
        let finite = points.filter(\.y.isFinite)
        let keep = exp(-100 / Double(max(finite.count, 1)))
        let before = decayingSums(finite, keep: keep)
        let after = decayingSums(finite.reversed(), keep: keep).reversed()
        return zip(finite, zip(before, after)).map { point, sums in
            // The point itself stands in both sums.
            let sum = sums.0.value + sums.1.value - point.y
            return PlotPoint(x: point.x, y: sum / (sums.0.weight + sums.1.weight - 1))
        }
    }

    /// For every point the sum over it and the points before it, and the sum of their weights.
    private static func decayingSums(_ points: [PlotPoint], keep: Double) -> [(value: Double, weight: Double)] {
        var (value, weight) = (0.0, 0.0)
        return points.map { point in
            value = value * keep + point.y
            weight = weight * keep + 1
            return (value, weight)
        }
    }

    /// At most about `limit` points that look the same: of each group of neighbors the lowest and the highest.
    static func thinned(_ points: [PlotPoint], limit: Int) -> [PlotPoint] {
        let finite = points.filter(\.y.isFinite)
        guard finite.count > limit, limit >= 2 else { return finite }
        let groups = limit / 2
        return (0..<groups).flatMap { group -> [PlotPoint] in
            let members = finite[group * finite.count / groups..<(group + 1) * finite.count / groups]
            guard let low = members.min(by: { $0.y < $1.y }), let high = members.max(by: { $0.y < $1.y }) else {
                return []
            }
            if low == high { return [low] }
            return low.x < high.x ? [low, high] : [high, low]
        }
    }
}
