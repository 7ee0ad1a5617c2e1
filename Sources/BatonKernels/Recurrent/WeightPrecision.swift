import BatonKernelABI

/// How an f32 layer holds its weights for inference.
///
/// With few rows a step takes as long as reading the weights, so half the bytes are nearly half the time. Relative
/// error of a weight: bfloat16 at most 2⁻⁹ of itself; int8 at most 1/254 of the greatest weight of its row of [W U].
public enum WeightPrecision: String, Sendable, Hashable, CaseIterable {
    /// The parameters themselves.
    case float32
    /// Rounded to the nearest bfloat16, ties to even. Widened to f32 again before the products, which therefore have the
    /// bits of a float32 layer with rounded weights. The BF16 dot product of AVX-512 would round inputs and states too,
    /// and save nothing where the step waits for its weights.
    case bfloat16
    /// round(w / s) with s = max |row of [W U]| / 127, one scale for every gate and unit. Rows of inputs and of states meet
    /// them as 16-bit integers, each with a scale of its own, max |row| / 32767 (of the two halves of an input above a
    /// bidirectional layer each): the sums are exact over 512 terms, in f32 beyond them.
    case int8

    var format: PanelFormat {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: KernelSelection.hasDotProducts ? .int8Dot : .int8
        }
    }
}
