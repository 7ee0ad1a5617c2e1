public import BatonKernelABI

/// f64 on plain loops: one element after the other, with libm's functions.
extension Double: ElementWiseScalar {
    /// out = x + y.
    public static func addElements(
        _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, count: Int
    ) {
        for index in 0..<count { out[index] = x[index] + y[index] }
    }

    /// out = x · y, or added.
    public static func multiply(
        _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, count: Int,
        adds: Bool
    ) {
        for index in 0..<count { out[index] = (adds ? out[index] : 0) + x[index] * y[index] }
    }

    /// out = factor · x, or added.
    public static func scale(
        _ x: UnsafePointer<Double>, by factor: Double, into out: UnsafeMutablePointer<Double>, count: Int, adds: Bool
    ) {
        for index in 0..<count { out[index] = (adds ? out[index] : 0) + factor * x[index] }
    }

    /// out = φ(x).
    public static func activate(
        _ activation: Activation, _ x: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, count: Int
    ) {
        switch activation {
        case .tanh: for index in 0..<count { out[index] = hyperbolicTangent(x[index]) }
        case .relu: for index in 0..<count { out[index] = x[index] > 0 || x[index].isNaN ? x[index] : 0 }
        case .sigmoid: for index in 0..<count { out[index] = sigmoid(x[index]) }
        }
    }

    /// out = dy · φ′, or added.
    public static func activationGradient(
        _ activation: Activation, value y: UnsafePointer<Double>, gradient dy: UnsafePointer<Double>,
        into out: UnsafeMutablePointer<Double>, count: Int, adds: Bool
    ) {
        for index in 0..<count {
            let derivative: Double =
                switch activation {
                case .tanh: 1 - y[index] * y[index]
                // Where y is not a number the gradient goes on, as in the kernels of float32.
                case .relu: y[index] <= 0 ? 0 : 1
                case .sigmoid: y[index] * (1 - y[index])
                }
            out[index] = (adds ? out[index] : 0) + dy[index] * derivative
        }
    }

    /// See `DropoutMask`.
    public static func dropout(
        _ mask: DropoutMask, _ x: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, adds: Bool
    ) {
        let (outer, inner) = mask.rowsFirst ? (mask.rows, mask.times) : (mask.times, mask.rows)
        for outerIndex in 0..<outer {
            for innerIndex in 0..<inner {
                let (time, row) = mask.rowsFirst ? (innerIndex, outerIndex) : (outerIndex, innerIndex)
                let base = (outerIndex * inner + innerIndex) * mask.width
                for block in 0..<(mask.width + 127) / 128 * 16 {
                    let words = Philox.words(
                        counter: SIMD4(
                            UInt32(block), mask.firstTime &+ UInt32(time), mask.firstRow &+ UInt32(row), mask.step),
                        key: mask.key)
                    let first = block / 16 * 128 + block % 16
                    for unit in stride(from: first, to: min(first + 128, mask.width), by: 16) {
                        let word = words[unit / 16 % 4]
                        let kept = (unit % 128 < 64 ? word &<< 16 : word) >= mask.threshold
                        let value = kept ? x[base + unit] * mask.scale : 0
                        out[base + unit] = (adds ? out[base + unit] : 0) + value
                    }
                }
            }
        }
    }

    /// Σ eˣ⁻ᵐ and m = max x.
    public static func softmaxTerms(
        _ x: UnsafePointer<Double>, count: Int, exponentials: UnsafeMutablePointer<Double>?
    ) -> (maximum: Double, sum: Double) {
        var maximum = -Double.infinity
        // NaN are passed over, as in the kernels of float32.
        for index in 0..<count where x[index] > maximum { maximum = x[index] }
        var sum = 0.0
        for index in 0..<count {
            let term = exponential(x[index] - maximum)
            sum += term
            exponentials?[index] = term
        }
        return (maximum, sum)
    }

    /// Σ x².
    public static func sumOfSquares(_ x: UnsafePointer<Double>, count: Int) -> Double {
        var chains = SIMD16<Double>()
        for index in 0..<count {
            chains[index % 16] += x[index] * x[index]
        }
        return pairwiseSum(chains)
    }
}

/// ((0+8)+(4+12)) + … : the fixed tree that ends sixteen interleaved chains.
private func pairwiseSum(_ chains: SIMD16<Double>) -> Double {
    let eight = chains.lowHalf + chains.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}
