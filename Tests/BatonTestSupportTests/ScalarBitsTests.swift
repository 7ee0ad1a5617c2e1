import BatonTestSupport
import Testing

@Suite struct ScalarBitsTests {
    @Test func `bits tell the zeros apart, and NaN is itself`() {
        #expect(bits([Float(0), .nan, 1]) == [0, 0x7FC0_0000, 0x3F80_0000])
        #expect(bits([-Float(0)]) == [0x8000_0000])
        #expect(bits([0.0, -0.0, .nan]) == [0, 0x8000_0000_0000_0000, 0x7FF8_0000_0000_0000])
        #expect(bits([Double(Float.leastNonzeroMagnitude)]) != bits([Double.zero]))
        #expect(bits([Double]()).isEmpty)
    }
}
