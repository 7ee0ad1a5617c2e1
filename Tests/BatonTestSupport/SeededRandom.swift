/// A repeatable random generator for tests: SplitMix64 (Steele, Lea & Flood 2014).
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// Uniform on [−1, 1), 53 random bits.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-52 - 1
    }

    /// `count` values uniform on [−scale, scale).
    public mutating func array(_ count: Int, scale: Double = 1) -> [Double] {
        (0..<count).map { _ in uniform() * scale }
    }
}
