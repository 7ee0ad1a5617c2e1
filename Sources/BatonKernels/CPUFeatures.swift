internal import CProcessor

/// What the processor offers and the operating system lets programs use.
///
/// Source: CPUID leaves 1, 7, 0x8000_0001–4 and the cache leaves 4 (Intel) and 0x8000_001D (AMD); register state
/// through XGETBV (Intel SDM vol. 1 §13, §14.3, §15.2). On other architectures no feature is reported.
public struct CPUFeatures: Sendable, Hashable {
    /// "GenuineIntel", "AuthenticAMD", …; empty when unknown.
    public var vendor = ""
    /// The marketing name, or "unknown processor".
    public var brand = "unknown processor"
    /// Display family, extended bits added in.
    public var family = 0
    /// Display model, extended bits added in.
    public var model = 0
    /// AVX2 with FMA, F16C, BMI1, BMI2, LZCNT and MOVBE: what the compiler's x86-64-v3 code needs.
    public var hasAVX2 = false
    /// AVX-512 F, CD, DQ, BW and VL on top of `hasAVX2`: what the compiler's x86-64-v4 code needs.
    public var hasAVX512 = false
    /// AVX-512 dot products of bfloat16 pairs.
    public var hasAVX512BFloat16 = false
    /// AVX-512 dot products of 8-bit integers.
    public var hasAVX512VNNI = false
    /// Bytes of the data or unified cache of that level, one instance; 0 when unknown.
    public var level1DataCacheBytes = 0
    /// As above, of the second level.
    public var level2CacheBytes = 0
    /// As above, of the third level.
    public var level3CacheBytes = 0

    /// No feature at all.
    public init() {}

    /// The processor this process runs on, asked once.
    public static let current = CPUFeatures.detect()

    /// Names of the features found, for reports and for the comparison between ranks.
    public var summary: String {
        let names: [(Bool, String)] = [
            (hasAVX2, "avx2+fma"), (hasAVX512, "avx512"), (hasAVX512BFloat16, "avx512_bf16"),
            (hasAVX512VNNI, "avx512_vnni"),
        ]
        let found = names.filter(\.0).map(\.1)
        return found.isEmpty ? "none" : found.joined(separator: " ")
    }

    private static func detect() -> CPUFeatures {
        #if arch(x86_64)
            var features = CPUFeatures()
            let first = baton_cpuid(0, 0)
            features.vendor = text([first.ebx, first.edx, first.ecx])
            features.readIdentity()
            features.readInstructionSets()
            features.readCaches()
            return features
        #else
            return CPUFeatures()
        #endif
    }

    private mutating func readIdentity() {
        let signature = baton_cpuid(1, 0).eax
        family = Int(signature >> 8 & 0xF)
        model = Int(signature >> 4 & 0xF)
        if family == 6 || family == 15 { model += Int(signature >> 16 & 0xF) << 4 }
        if family == 15 { family += Int(signature >> 20 & 0xFF) }
        let words = (0..<3).flatMap { part in
            let leaf = baton_cpuid(0x8000_0002 + UInt32(part), 0)
            return [leaf.eax, leaf.ebx, leaf.ecx, leaf.edx]
        }
        let name = CPUFeatures.text(words).trimming()
        if !name.isEmpty { brand = name }
    }

    private mutating func readInstructionSets() {
        let basic = baton_cpuid(1, 0)
        let extended = baton_cpuid(7, 0)
        let savesState = basic.ecx.has(27)
        let saved = savesState ? baton_extended_control_register_0() : 0
        // Bits 1–2: XMM and YMM; bits 5–7: mask registers, upper halves and registers 16–31.
        let savesYMM = saved & 0b110 == 0b110
        let savesZMM = savesYMM && saved & 0b1110_0000 == 0b1110_0000
        // LZCNT, of which leaf 0x8000_0001 tells, runs as another instruction where it is missing.
        hasAVX2 =
            savesYMM && [12, 22, 28, 29].allSatisfy(basic.ecx.has) && [3, 5, 8].allSatisfy(extended.ebx.has)
            && baton_cpuid(0x8000_0001, 0).ecx.has(5)
        hasAVX512 = hasAVX2 && savesZMM && [16, 17, 28, 30, 31].allSatisfy(extended.ebx.has)
        hasAVX512VNNI = hasAVX512 && extended.ecx.has(11)
        hasAVX512BFloat16 = hasAVX512 && baton_cpuid(7, 1).eax.has(5)
    }

    private mutating func readCaches() {
        let leaf: UInt32 = vendor == "AuthenticAMD" || vendor == "HygonGenuine" ? 0x8000_001D : 4
        for index in 0..<8 as Range<UInt32> {
            let cache = baton_cpuid(leaf, index)
            let kind = cache.eax & 0x1F  // 0 none, 1 data, 2 instructions, 3 unified
            if kind == 0 { break }
            if kind == 2 { continue }
            let ways = Int(cache.ebx >> 22) + 1
            let partitions = Int(cache.ebx >> 12 & 0x3FF) + 1
            let line = Int(cache.ebx & 0xFFF) + 1
            let bytes = ways * partitions * line * (Int(cache.ecx) + 1)
            switch cache.eax >> 5 & 7 {
            case 1: level1DataCacheBytes = bytes
            case 2: level2CacheBytes = bytes
            case 3: level3CacheBytes = bytes
            default: break
            }
        }
    }

    /// Four characters per word, lowest byte first, up to the first zero byte.
    private static func text(_ words: [UInt32]) -> String {
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension UInt32 {
    fileprivate func has(_ bit: Int) -> Bool { self >> UInt32(bit) & 1 == 1 }
}

extension String {
    fileprivate func trimming() -> String {
        let start = drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
