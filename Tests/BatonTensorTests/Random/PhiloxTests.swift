import BatonKernels
import BatonTensor
import Testing

@Suite struct PhiloxTests {
    /// The known answers published with Random123 (file kat_vectors, philox4x32 10).
    @Test func matchesThePublishedKnownAnswers() {
        #expect(
            Philox.words(counter: SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Philox.words(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Philox.words(
                counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
                key: SIMD2(0xa409_3822, 0x299f_31d0))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func uniformNumbersHaveTheRightMoments() {
        let stream = RandomStream(seed: 1, name: "x")
        let values = (0..<50_000).map { stream.uniform(UInt64($0)) }
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        // Standard errors 0.0013 and 0.0003; five of them.
        #expect(abs(values.reduce(0, +) / 50_000 - 0.5) < 0.0065)
        #expect(abs(values.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / 50_000 - 1.0 / 12) < 0.0017)
    }

    @Test func normalNumbersHaveTheRightMoments() {
        let stream = RandomStream(seed: 1, name: "x")
        let values = (0..<25_000).flatMap { index -> [Double] in
            let pair = stream.normalPair(UInt64(index))
            return [pair[0], pair[1]]
        }
        // Standard errors 0.0045 and 0.0063; five of them.
        #expect(abs(values.reduce(0, +) / 50_000) < 0.023)
        #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 50_000 - 1) < 0.032)
    }

    @Test func namesAndSeedsGiveDifferentStreams() {
        let words = RandomStream(seed: 1, name: "a").words(0)
        #expect(words != RandomStream(seed: 2, name: "a").words(0))
        #expect(words != RandomStream(seed: 1, name: "b").words(0))
        #expect(words == RandomStream(seed: 1, name: "a").words(0))
    }
}
