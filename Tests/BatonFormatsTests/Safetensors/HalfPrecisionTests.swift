import Foundation
import Testing

@testable import BatonFormats

@Suite struct HalfPrecisionTests {
    /// IEEE 754 binary16 from its definition, in float64: every value is exact there.
    private func float16(_ bits: Int) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = bits >> 10 & 31
        let fraction = Double(bits & 1023)
        if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * fraction / 1024 * pow(2, -14) }
        return sign * (1 + fraction / 1024) * pow(2, Double(exponent - 15))
    }

    @Test func everyFloat16IsWidenedExactly() {
        let wrong = (0..<65_536).filter { bits in
            let widened = HalfPrecision.widen(float16: UInt16(bits))
            let expected = float16(bits)
            if expected.isNaN { return !widened.isNaN }
            return Double(widened) != expected || widened.sign != expected.sign
        }
        #expect(wrong.prefix(4) == [])
    }

    @Test func bfloat16IsTheUpperHalfOfFloat32() {
        for value in [0, -0.0, 1, -1.5, 0x1.FEp127, .infinity, 0x1p-133] as [Float] {
            #expect(HalfPrecision.widen(bfloat16: UInt16(value.bitPattern >> 16)) == value)
        }
        #expect(HalfPrecision.widen(bfloat16: 0x7FC0).isNaN)
    }
}
