internal import Glibc

/// How far a result may lie from the oracle's, relative to the largest value of the tensor.
///
/// f32: 4·ε·⌈log₂ depth⌉, twice that for gradients, where depth is the number of products that one element
/// accumulates, steps of a recurrence included (the rule of oneDNN's benchdnn). f64: 1e-12.
public enum Tolerance {
    /// The bound for a scalar type with `epsilon` = ulp of one.
    public static func relative(epsilon: Double, depth: Int, backward: Bool = false) -> Double {
        if epsilon < 1e-12 { return 1e-12 }
        return 4 * epsilon * log2(Double(max(2, depth))).rounded(.up) * (backward ? 2 : 1)
    }

    /// The largest deviation over the largest expected magnitude, or over `scale` if that is larger (the magnitude
    /// of what was added up, where a small tensor may cancel), or over one where both are zero. Infinite where a
    /// value is not a number or only one of the two is infinite.
    public static func relativeError(_ actual: [Double], _ expected: [Double], scale: Double = 0) -> Double {
        precondition(actual.count == expected.count, "\(actual.count) values against \(expected.count)")
        let scale = max(scale, expected.map(abs).max() ?? 0)
        var worst = 0.0
        for (a, e) in zip(actual, expected) where a != e {
            let difference = abs(a - e)
            worst = max(worst, difference.isFinite ? difference : .infinity)
        }
        return scale > 0 ? worst / scale : worst
    }

    /// nil when `actual` is within `tolerance`, else a sentence that names the worst element.
    public static func violation(
        _ name: String, _ actual: [Double], _ expected: [Double], scale: Double = 0, tolerance: Double
    ) -> String? {
        guard actual.count == expected.count else {
            return "\(name): \(actual.count) values where \(expected.count) were expected"
        }
        let error = relativeError(actual, expected, scale: scale)
        if error <= tolerance { return nil }
        let worst = actual.indices.max { deviation(actual[$0], expected[$0]) < deviation(actual[$1], expected[$1]) }!
        return "\(name): relative error \(error) exceeds \(tolerance); element \(worst) is \(actual[worst]) "
            + "where \(expected[worst]) was expected"
    }

    private static func deviation(_ a: Double, _ e: Double) -> Double {
        if a == e { return 0 }
        let difference = abs(a - e)
        return difference.isFinite ? difference : .infinity
    }
}
