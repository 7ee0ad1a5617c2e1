/// Element-wise non-linearities whose derivative is a function of their value.
public enum Activation: String, Sendable, Hashable, CaseIterable, Codable {
    /// tanh x; derivative 1 − y².
    case tanh
    /// max(x, 0), NaN stays NaN; derivative 0 where y ≤ 0, else 1, also where y is NaN.
    case relu
    /// 1 / (1 + e⁻ˣ); derivative y(1 − y).
    case sigmoid
}
