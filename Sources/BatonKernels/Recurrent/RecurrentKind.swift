/// The recurrence a layer computes, with Gluon's gate order (rows of the stacked weights, top to bottom).
///
/// | case | gates | equation |
/// |---|---|---|
/// | `rnnTanh`, `rnnRelu` | – | h = φ(x·Wᵀ + b + h₋₁·Uᵀ + q) |
/// | `lstm` | i, f, g, o | c = f⊙c₋₁ + i⊙g, h = o⊙tanh c |
/// | `gru` | r, z, n | n = tanh(x·Wₙᵀ + bₙ + r⊙(h₋₁·Uₙᵀ + qₙ)), h = (1−z)⊙n + z⊙h₋₁ |
///
/// Source: Elman 1990; Hochreiter & Schmidhuber 1997; Cho et al. 2014 in cuDNN's form (reset after the product).
public enum RecurrentKind: String, Sendable, Hashable, CaseIterable, Codable {
    case rnnTanh = "rnn_tanh"
    case rnnRelu = "rnn_relu"
    case lstm
    case gru

    /// Number of gates, G: the stacked weights have G·H rows.
    public var gateCount: Int {
        switch self {
        case .rnnTanh, .rnnRelu: 1
        case .lstm: 4
        case .gru: 3
        }
    }

    /// Whether the cell carries a second state c beside h.
    public var hasCellState: Bool { self == .lstm }
}
