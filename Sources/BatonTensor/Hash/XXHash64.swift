/// The 64-bit hash XXH64: not cryptographic, about as fast as memory.
///
/// Source: Yann Collet, "xxHash fast digest algorithm", specification 0.1.1, section XXH64.
public enum XXHash64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    @inline(__always) private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value &<< bits | value &>> (64 &- bits)
    }

    @inline(__always) private static func round(_ accumulator: UInt64, _ input: UInt64) -> UInt64 {
        rotate(accumulator &+ input &* prime2, 31) &* prime1
    }

    @inline(__always) private static func merge(_ accumulator: UInt64, _ value: UInt64) -> UInt64 {
        (accumulator ^ round(0, value)) &* prime1 &+ prime4
    }

    /// Hash of a range of bytes.
    public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        guard var cursor = bytes.baseAddress else { return finish(seed &+ prime5) }
        var remaining = bytes.count
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: cursor.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        var hash: UInt64
        if remaining >= 32 {
            var (a, b, c, d) = (seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
            while remaining >= 32 {
                a = round(a, word(0))
                b = round(b, word(8))
                c = round(c, word(16))
                d = round(d, word(24))
                cursor += 32
                remaining &-= 32
            }
            hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
            for lane in [a, b, c, d] { hash = merge(hash, lane) }
        } else {
            hash = seed &+ prime5
        }
        hash &+= UInt64(bytes.count)
        while remaining >= 8 {
            hash = rotate(hash ^ round(0, word(0)), 27) &* prime1 &+ prime4
            cursor += 8
            remaining &-= 8
        }
        if remaining >= 4 {
            let half = UInt64(UInt32(littleEndian: cursor.loadUnaligned(as: UInt32.self)))
            hash = rotate(hash ^ half &* prime1, 23) &* prime2 &+ prime3
            cursor += 4
            remaining &-= 4
        }
        while remaining > 0 {
            hash = rotate(hash ^ UInt64(cursor.load(as: UInt8.self)) &* prime5, 11) &* prime1
            cursor += 1
            remaining &-= 1
        }
        return finish(hash)
    }

    private static func finish(_ value: UInt64) -> UInt64 {
        var hash = value
        hash = (hash ^ hash &>> 33) &* prime2
        hash = (hash ^ hash &>> 29) &* prime3
        return hash ^ hash &>> 32
    }

    /// Hash of the UTF-8 bytes of a string.
    public static func hash(_ text: String, seed: UInt64 = 0) -> UInt64 {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0), seed: seed) }
    }
}
