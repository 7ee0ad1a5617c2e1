internal import Glibc

/// How the learning rate changes over a run, as a factor of the initial rate.
///
/// | Text | Factor at step s of S |
/// |---|---|
/// | `constant` | 1 |
/// | `linear:F` | 1 + (F − 1)·s/S |
/// | `cosine` | (1 + cos(π·s/S)) / 2 |
///
/// Steps count from 0; beyond S the factor stays at its value for S.
public enum LearningRateSchedule: Sendable, Hashable, Codable, CustomStringConvertible {
    case constant
    /// Straight line from 1 to the given fraction.
    case linear(finalFraction: Double)
    case cosine

    /// Parses `constant`, `linear:0.05` or `cosine`.
    ///
    /// - Throws: `NNError` naming the text and the three forms.
    public init(_ text: String) throws(NNError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("constant", 1): self = .constant
        case ("cosine", 1): self = .cosine
        case ("linear", 2):
            guard let fraction = Double(parts[1]), (0...1).contains(fraction) else {
                throw NNError("The fraction of '\(text)' must be a number from 0 to 1, for example linear:0.05.")
            }
            self = .linear(finalFraction: fraction)
        default:
            throw NNError("'\(text)' is no learning-rate schedule; use constant, linear:FRACTION or cosine.")
        }
    }

    /// The text that parses to it.
    public var description: String {
        switch self {
        case .constant: "constant"
        case .linear(let fraction): "linear:\(fraction)"
        case .cosine: "cosine"
        }
    }

    /// Factor for step `step` of `totalSteps`.
    public func factor(step: Int, totalSteps: Int) -> Double {
        let progress = min(Double(step) / Double(max(totalSteps, 1)), 1)
        switch self {
        case .constant: return 1
        case .linear(let fraction): return 1 + (fraction - 1) * progress
        case .cosine: return (1 + cos(.pi * progress)) / 2
        }
    }

    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        self = try LearningRateSchedule(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
