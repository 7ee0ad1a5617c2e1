import BatonKernelABI
import Glibc
import Testing

@testable import BatonKernels

/// The vector functions against libm in f64, in units in the last place of the exact result.
@Suite struct LaneMathTests {
    private typealias VectorFunction = (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void

    private func apply(_ function: VectorFunction, _ inputs: [Float]) -> [Float] {
        var outputs = [Float](repeating: .nan, count: inputs.count)
        inputs.withUnsafeBufferPointer { x in
            outputs.withUnsafeMutableBufferPointer { y in
                if let x = x.baseAddress, let y = y.baseAddress { function(x, y, inputs.count) }
            }
        }
        return outputs
    }

    /// Every exponent from 2⁻³⁰ up, 512 mantissas each, both signs, below `limit` in magnitude.
    private func sweep(limit: Float) -> [Float] {
        var result: [Float] = [0, -0.0]
        for exponent in -30...7 {
            for step in 0..<512 {
                let value = Float(sign: .plus, exponent: exponent, significand: 1 + Float(step) / 512)
                if value <= limit { result += [value, -value] }
            }
        }
        return result
    }

    private func worstError(_ function: VectorFunction, limit: Float, exact: (Double) -> Double) -> Double {
        let inputs = sweep(limit: limit)
        let errors = zip(inputs, apply(function, inputs)).map { input, output in
            let reference = exact(Double(input))
            let unit = Double(max(Float(reference).magnitude, .leastNormalMagnitude).ulp)
            return abs(Double(output) - reference) / unit
        }
        // The greatest of numbers is not told from one that is none.
        return errors.contains { $0.isNaN } ? .infinity : errors.max() ?? .infinity
    }

    @Test func exponentialErrsByAtMostTwoUnits() {
        let error = worstError(KernelSelection.activeTable.exponential, limit: 86) { exp($0) }
        #expect(error <= 2, "worst error \(error) ulp")
    }

    @Test func sigmoidErrsByAtMostThreeUnits() {
        let error = worstError(KernelSelection.activeTable.sigmoid, limit: 86) { 1 / (1 + exp(-$0)) }
        #expect(error <= 3, "worst error \(error) ulp")
    }

    @Test func hyperbolicTangentErrsByAtMostFourUnits() {
        let error = worstError(KernelSelection.activeTable.hyperbolicTangent, limit: 128) { tanh($0) }
        #expect(error <= 4, "worst error \(error) ulp")
    }

    /// The derivative is 1 − tanh², which must not be negative, nor other than 0 where everything saturates.
    @Test func hyperbolicTangentNeverExceedsOneAndReachesIt() {
        let inputs = (Float(7).bitPattern...Float(10).bitPattern).map { Float(bitPattern: $0) }
        let outputs = apply(KernelSelection.activeTable.hyperbolicTangent, inputs)
        #expect(outputs.max() == 1)
        let saturated = zip(inputs, outputs).allSatisfy { $0 < 8.06 || $1 == 1 }
        #expect(saturated)
    }

    @Test func extremeArgumentsSaturateAndNaNStaysNaN() {
        let inputs: [Float] = [.infinity, -.infinity, 1e30, -1e30, .nan]
        let table = KernelSelection.activeTable
        let tangents = apply(table.hyperbolicTangent, inputs)
        #expect(tangents[..<4] == [1, -1, 1, -1] && tangents[4].isNaN)
        let sigmoids = apply(table.sigmoid, inputs)
        #expect(sigmoids[0] == 1 && sigmoids[1] < 1e-37 && sigmoids[1] >= 0 && sigmoids[4].isNaN)
        // Also those that other processors and programs write.
        for bits: UInt32 in [0x7FFF_FFFF, 0xFFFF_FFFF, 0x7FC0_0001, 0x7FC0_00FF, 0xFFC0_0000, 0x7FA0_0001] {
            let nan = [Float(bitPattern: bits)]
            for function in [table.exponential, table.hyperbolicTangent, table.sigmoid] {
                #expect(apply(function, nan)[0].isNaN, "\(String(bits, radix: 16))")
            }
        }
    }

    @Test func aValueDoesNotDependOnItsPosition() {
        let table = KernelSelection.activeTable
        let inputs = (0..<61).map { Float($0) * 0.37 - 9 }
        for function in [table.exponential, table.hyperbolicTangent, table.sigmoid] {
            let together = apply(function, inputs)
            let alone = inputs.map { apply(function, [$0])[0] }
            #expect(together.map(\.bitPattern) == alone.map(\.bitPattern))
        }
    }
}
