internal import Glibc

/// Gradients by central differences in f64, for checking written-out derivatives.
public enum GradientCheck {
    /// The step that balances truncation (step²) and rounding (ε / step): ε^⅓.
    public static let step = cbrt(Double.ulpOfOne)

    /// What a correct derivative may deviate, relative to the largest gradient: 64·ε^⅔ ≈ 2.3e-9. Both errors are
    /// of the order ε^⅔, times the third derivative and times the value, which is a sum of some tens of terms.
    public static let tolerance = 64 * step * step

    /// ∂f/∂xᵢ ≈ (f(x + s·eᵢ) − f(x − s·eᵢ)) / 2s for every i.
    public static func centralDifferences(at point: [Double], _ function: ([Double]) -> Double) -> [Double] {
        var moved = point
        return point.indices.map { i in
            moved[i] = point[i] + step
            let above = function(moved)
            moved[i] = point[i] - step
            let below = function(moved)
            moved[i] = point[i]
            return (above - below) / (2 * step)
        }
    }
}
