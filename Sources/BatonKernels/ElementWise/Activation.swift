/// Element-wise non-linearities whose derivative is a function of their value.
public enum Activation: String, Sendable, Hashable, CaseIterable, Codable {
    /// tanh x; derivative 1 − y².
    case tanh
    /// max(x, 0); derivative 1 where y > 0, else 0.
    case relu
    /// 1 / (1 + e⁻ˣ); derivative y(1 − y).
    case sigmoid
}
