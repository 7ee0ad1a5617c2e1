extension MutationGenerator {
    /// A member of the corpus with one to six injuries, of which some know that files hold binary numbers and words.
    public mutating func mutateFile(_ corpus: [[UInt8]], words: [[UInt8]]) -> [UInt8] {
        var bytes = corpus[Int.random(in: 0..<corpus.count, using: &self)]
        // Descriptions stand at the start, or in an NDArray list everywhere: half the injuries favor the start.
        let injuries = Bool.random(using: &self) ? 1 : Int.random(in: 2...6, using: &self)
        for _ in 0..<injuries where !bytes.isEmpty {
            let reach = Bool.random(using: &self) ? bytes.count : min(bytes.count, 256)
            let place = Int.random(in: 0..<reach, using: &self)
            switch Int.random(in: 0..<12, using: &self) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &self)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &self), at: place)
            case 4: bytes.removeSubrange(place...)
            case 5:
                let end = min(bytes.count, place + Int.random(in: 1...80, using: &self))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...reach, using: &self))
            case 6: changeDigit(&bytes, near: place)
            case 7: overwrite(&bytes, at: place, number(4))
            case 8: overwrite(&bytes, at: place, number(8))
            case 9:
                let other = corpus[Int.random(in: 0..<corpus.count, using: &self)]
                bytes.replaceSubrange(place..., with: other.dropFirst(min(place, other.count)))
            case 10:
                let end = min(bytes.count, place + Int.random(in: 1...80, using: &self))
                bytes.removeSubrange(place..<end)
            default:
                guard let word = words.randomElement(using: &self) else { continue }
                if Bool.random(using: &self) {
                    overwrite(&bytes, at: place, word)
                } else {
                    bytes.insert(contentsOf: word, at: place)
                }
            }
        }
        return bytes
    }

    /// Another digit where one stands: text stays well-formed and lies about a number.
    private mutating func changeDigit(_ bytes: inout [UInt8], near place: Int) {
        guard let digit = bytes[place...].prefix(200).firstIndex(where: { (0x30...0x39).contains($0) }) else { return }
        bytes[digit] = UInt8.random(in: 0x30...0x39, using: &self)
        if Int.random(in: 0..<4, using: &self) == 0 {
            bytes.insert(contentsOf: [UInt8](repeating: bytes[digit], count: 12), at: digit)
        }
    }

    private func overwrite(_ bytes: inout [UInt8], at place: Int, _ word: [UInt8]) {
        bytes.replaceSubrange(place..<min(bytes.count, place + word.count), with: word)
    }

    /// A number at the edges of what readers compute with, little-endian.
    private mutating func number(_ byteCount: Int) -> [UInt8] {
        let edges: [UInt64] = [
            0, 1, 2, 7, 64, 65, 255, 65_535, 1 << 31 - 1, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 40, 1 << 62, 1 << 63 - 1,
            1 << 63, .max, .max - 1,
        ]
        let value = edges[Int.random(in: 0..<edges.count, using: &self)]
        return (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}
