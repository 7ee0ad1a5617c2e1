internal import BatonKernels
internal import Glibc

/// An endless sequence of random numbers that belongs to a name: number i is a function of seed, name, and i.
///
/// Philox4x32-10 with key = XXH64(UTF-8 name, seed = seed of the run) and counter (block, domain, 0), the block's number in
/// two words, the lower first. Two f64 come of a block, so number i is of block i/2.
public struct RandomStream: Sendable, Hashable {
    /// The Philox key.
    public let key: SIMD2<UInt32>

    /// The stream of a name in the run with this seed.
    public init(seed: UInt64, name: String) {
        let hash = XXHash64.hash(name, seed: seed)
        key = SIMD2(UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32))
    }

    /// Four random words of block `index`. `domain` separates uses of one stream.
    public func words(_ index: UInt64, domain: UInt32 = 0) -> SIMD4<UInt32> {
        Philox.words(
            counter: SIMD4(
                UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), domain, 0),
            key: key)
    }

    /// Two independent numbers in [0, 1) with 53 random bits each.
    public func uniformPair(_ index: UInt64, domain: UInt32 = 0) -> SIMD2<Double> {
        let block = words(index, domain: domain)
        return SIMD2(Self.unit(block[0], block[1]), Self.unit(block[2], block[3]))
    }

    /// Two independent numbers of the standard normal distribution (Box & Muller 1958, doi:10.1214/aoms/1177706645).
    public func normalPair(_ index: UInt64, domain: UInt32 = 0) -> SIMD2<Double> {
        let uniform = uniformPair(index, domain: domain)
        let radius = (-2 * log(1 - uniform[0])).squareRoot()
        let angle = 2 * Double.pi * uniform[1]
        return SIMD2(radius * cos(angle), radius * sin(angle))
    }

    /// Number `index` of a sequence in [0, 1).
    public func uniform(_ index: UInt64, domain: UInt32 = 0) -> Double {
        uniformPair(index / 2, domain: domain)[Int(index % 2)]
    }

    private static func unit(_ low: UInt32, _ high: UInt32) -> Double {
        Double(UInt64(high) << 21 | UInt64(low) >> 11) * 0x1p-53
    }
}
