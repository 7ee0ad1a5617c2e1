import BatonKernelABI

/// How an f32 layer holds its weights for inference.
///
/// With few rows a step takes as long as reading the weights, so half the bytes are nearly half the time. Relative
/// error of a weight: bfloat16 at most 2⁻⁹ of itself; int8 at most 1/254 of the greatest weight of its row of [W U].
public enum WeightPrecision: String, Sendable, Hashable, CaseIterable {
    /// The parameters themselves.
    case float32
    /// Rounded to the nearest bfloat16, ties to even; so are the rows of inputs and of states that meet them. Products are
    /// exact, sums in f32, in the order of float32: an output has the bits of a float32 layer with rounded weights whose x
    /// and previous h were rounded before x·W and h·U (c, and h beside the GRU's z, are not). By the dot products of
    /// AVX-512 BF16 where the processor has them, nearly twice as fast as float32: with the same bits, but
    /// that values and sums below 2⁻¹²⁶ count as zero.
    case bfloat16
    /// round(w / s) with s = max |row of [W U]| / 127, one scale for every gate and unit. Rows of inputs and of states meet
    /// them as integers of 8 bits too, each with a scale of its own, max |row| / 127 (of the two halves of an input above a
    /// bidirectional layer each): the sums are exact over 512 terms, in f32 beyond them. By the dot products of AVX-512 VNNI
    /// where the processor has them, with the same bits.
    case int8

    var format: PanelFormat {
        switch self {
        case .float32: .float32
        case .bfloat16: KernelSelection.hasBFloat16DotProducts ? .bfloat16Dot : .bfloat16
        case .int8: KernelSelection.hasIntegerDotProducts ? .int8Dot : .int8
        }
    }
}
