import BatonTestSupport
import Testing

@testable import BatonKernels

/// Products of a few rows around every cut: panels, blocks, single rows, leaves of unequal size.
@Suite struct RowProductTests {
    static let sizes = [(1, 1), (48, 16), (257, 40), (2048, 7), (300, 700), (31, 9000), (520, 513)]

    @Test(arguments: sizes) func `every cut of the columns gives the plain sums`(columns: Int, depth: Int) {
        check(Float.self, columns: columns, depth: depth)
        check(Double.self, columns: columns, depth: depth)
    }

    private func check<Scalar: BLASScalar>(_ type: Scalar.Type, columns: Int, depth: Int) {
        for batch in [1, 5, 19, 90] {
            for adds in [false, true] {
                var random = SeededRandom(seed: UInt64(columns + depth + batch))
                // Multiples of 2⁻⁶ below one: the products and their sums are exact in both types.
                func values(_ count: Int) -> [Double] { random.array(count).map { ($0 * 64).rounded() / 64 } }
                let a = values(batch * depth)
                let w = values(columns * depth)
                let input = Memory(a.map { Scalar($0) })
                let weights = Memory(w.map { Scalar($0) })
                let output = Memory([Scalar](repeating: 3, count: batch * (columns + 1)))
                Scalar.multiply(
                    RowProduct(
                        leaves: LeafPlan.whole(rows: batch).leaves, columns: columns, depth: depth,
                        input: input.pointer, inputStride: depth, weights: weights.pointer, adds: adds,
                        output: output.pointer, outputStride: columns + 1))
                let expected = (0..<batch).flatMap { row -> [Double] in
                    let x = a[row * depth..<(row + 1) * depth]
                    let products = (0..<columns).map { column -> Double in
                        let factors = w[column * depth..<(column + 1) * depth]
                        return zip(x, factors).reduce(adds ? 3 : 0) { $0 + $1.0 * $1.1 }
                    }
                    return products + [3]
                }
                withExtendedLifetime((input, weights)) {
                    #expect(
                        output.values.map { Double($0) } == expected,
                        "\(type), \(batch) rows, \(columns) columns, depth \(depth), adds \(adds)")
                }
            }
        }
    }

    @Test func `the float hyperbolic tangent is within an ulp everywhere`() {
        var worst = 0.0
        for power in stride(from: -30.0, through: 5.0, by: 0.001) {
            for sign in [-1.0, 1.0] {
                let x = Float(sign * exp2(power))
                let exact = Double.hyperbolicTangent(Double(x))
                let value = Float.hyperbolicTangent(x)
                worst = value.isNaN ? .infinity : max(worst, abs(Double(value) - exact) / Double(Float(exact).ulp))
            }
        }
        #expect(worst < 0.75)
        #expect(Float.hyperbolicTangent(.infinity) == 1 && Float.hyperbolicTangent(-.infinity) == -1)
        #expect(Float.hyperbolicTangent(.nan).isNaN && Float.hyperbolicTangent(0) == 0)
    }

    private func exp2(_ x: Double) -> Double { Double.exponential(x * 0.6931471805599453) }
}
