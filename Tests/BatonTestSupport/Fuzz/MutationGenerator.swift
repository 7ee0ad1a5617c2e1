/// Seeded numbers for repeatable mutations (SplitMix64: Steele, Lea, Flood 2014, doi:10.1145/2714064.2660195).
public struct MutationGenerator: RandomNumberGenerator {
    var state: UInt64

    public init(state: UInt64) { self.state = state }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// The file with one to four small injuries, most of them in its first `headerByteCount` bytes.
    public mutating func mutate(_ file: [UInt8], headerByteCount: Int, words: [String]) -> [UInt8] {
        var bytes = file
        for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
            let reach = Bool.random(using: &self) ? bytes.count : min(bytes.count, headerByteCount)
            let place = Int.random(in: 0..<reach, using: &self)
            switch Int.random(in: 0..<8, using: &self) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &self)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &self), at: place)
            case 4: bytes.removeSubrange(place...)
            case 5:
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &self))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...reach, using: &self))
            case 6:
                // Another digit where a digit stands: the header stays well-formed and lies about numbers.
                let digits = bytes.indices.prefix(headerByteCount).filter { (0x30...0x39).contains(bytes[$0]) }
                if let digit = digits.randomElement(using: &self) {
                    bytes[digit] = UInt8.random(in: 0x30...0x39, using: &self)
                }
            default:
                if let word = words.randomElement(using: &self) {
                    bytes.replaceSubrange(place..<min(bytes.count, place + word.utf8.count), with: word.utf8)
                }
            }
        }
        return bytes
    }
}
