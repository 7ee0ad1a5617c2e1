/// Philox4x32 with ten rounds: a counter-based generator, so a random word is a function of what it belongs to and
/// not of who draws it, or when.
///
/// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", doi:10.1145/2063384.2063405.
public enum Philox {
    /// Four random words for a 128-bit counter and a 64-bit key.
    @inlinable
    public static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (key[0], key[1])
        for _ in 0..<10 {
            let first = multiplier0.multipliedFullWidth(by: c0)
            let second = multiplier1.multipliedFullWidth(by: c2)
            (c0, c1, c2, c3) = (second.high ^ c1 ^ k0, second.low, first.high ^ c3 ^ k1, first.low)
            k0 &+= weyl0
            k1 &+= weyl1
        }
        return SIMD4(c0, c1, c2, c3)
    }

    @usableFromInline static var multiplier0: UInt32 { 0xD251_1F53 }
    @usableFromInline static var multiplier1: UInt32 { 0xCD9E_8D57 }
    @usableFromInline static var weyl0: UInt32 { 0x9E37_79B9 }
    @usableFromInline static var weyl1: UInt32 { 0xBB67_AE85 }
}
