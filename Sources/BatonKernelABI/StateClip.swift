/// Limits of an LSTM's cell state: c = min(max(ĉ, lower), upper) after every step, before h is made of it.
///
/// The derivative is 1 for lower ≤ ĉ ≤ upper, 0 outside. NaN becomes `lower`, with derivative 0, if `replacesNaN`; else
/// it stays. Initial states and h are not clipped. Source: Gluon `state_clip_min`, `_max`, `_nan` (parity 2.5).
public struct StateClip: Sendable, Hashable {
    /// The least c.
    public var lower: Double
    /// The greatest c.
    public var upper: Double
    /// Whether NaN becomes `lower`.
    public var replacesNaN: Bool

    /// - Precondition: lower ≤ upper.
    public init(lower: Double, upper: Double, replacesNaN: Bool = false) {
        // Not a precondition, whose message a release build does not print.
        if !(lower <= upper) { fatalError("StateClip: expected lower ≤ upper, got \(lower) and \(upper)") }
        self.lower = lower
        self.upper = upper
        self.replacesNaN = replacesNaN
    }
}
