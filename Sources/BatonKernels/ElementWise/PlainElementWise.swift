internal import BatonKernelABI

/// A type that the plain loops serve: one element after the other, with libm's functions.
protocol PlainElementWise: ElementWiseScalar, BLASScalar {}

extension PlainElementWise {
    static func plainAddElements(
        _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, count: Int
    ) {
        for index in 0..<count { out[index] = x[index] + y[index] }
    }

    static func plainMultiply(
        _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, count: Int,
        adds: Bool
    ) {
        for index in 0..<count { out[index] = (adds ? out[index] : 0) + x[index] * y[index] }
    }

    static func plainScale(
        _ x: UnsafePointer<Self>, by factor: Self, into out: UnsafeMutablePointer<Self>, count: Int, adds: Bool
    ) {
        for index in 0..<count { out[index] = (adds ? out[index] : 0) + factor * x[index] }
    }

    static func plainActivate(
        _ activation: Activation, _ x: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, count: Int
    ) {
        switch activation {
        case .tanh: for index in 0..<count { out[index] = hyperbolicTangent(x[index]) }
        case .relu: for index in 0..<count { out[index] = x[index] > 0 || x[index].isNaN ? x[index] : 0 }
        case .sigmoid: for index in 0..<count { out[index] = sigmoid(x[index]) }
        }
    }

    static func plainActivationGradient(
        _ activation: Activation, value y: UnsafePointer<Self>, gradient dy: UnsafePointer<Self>,
        into out: UnsafeMutablePointer<Self>, count: Int, adds: Bool
    ) {
        for index in 0..<count {
            let derivative: Self =
                switch activation {
                case .tanh: 1 - y[index] * y[index]
                // Where y is not a number the gradient goes on, as in the kernels of float32.
                case .relu: y[index] <= 0 ? 0 : 1
                case .sigmoid: y[index] * (1 - y[index])
                }
            out[index] = (adds ? out[index] : 0) + dy[index] * derivative
        }
    }

    static func plainDropout(
        _ mask: DropoutMask, _ x: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, adds: Bool
    ) {
        let scale = Self(mask.scale)
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
                        let value = kept ? x[base + unit] * scale : 0
                        out[base + unit] = (adds ? out[base + unit] : 0) + value
                    }
                }
            }
        }
    }

    static func plainSoftmaxTerms(
        _ x: UnsafePointer<Self>, count: Int, exponentials: UnsafeMutablePointer<Self>?
    ) -> (maximum: Double, sum: Double) {
        var maximum = -Self.infinity
        for index in 0..<count where !(x[index] <= maximum) { maximum = x[index] }
        var sum = 0.0
        for index in 0..<count {
            let term = exponential(x[index] - maximum)
            sum += Double(term)
            exponentials?[index] = term
        }
        return (Double(maximum), sum)
    }

    static func plainSumOfSquares(_ x: UnsafePointer<Self>, count: Int) -> Double {
        var chains = SIMD16<Double>()
        for index in 0..<count {
            let value = Double(x[index])
            chains[index % 16] += value * value
        }
        return pairwiseSum(chains)
    }

    static func plainMomentumUpdate(_ arguments: MomentumUpdateArguments<Self>) {
        let (scale, rate) = (Self(arguments.gradientScale), Self(arguments.learningRate))
        let (decay, weightDecay) = (Self(arguments.decay), Self(arguments.weightDecay))
        for index in 0..<arguments.count {
            let w = arguments.parameter[index]
            var direction = scale * arguments.gradient[index] + weightDecay * w
            if let momentum = arguments.momentum {
                direction += decay * momentum[index]
                momentum[index] = direction
            }
            arguments.parameter[index] = w - rate * direction
        }
    }

    static func plainAdamUpdate(_ arguments: AdamUpdateArguments<Self>) {
        let (scale, decay) = (Self(arguments.gradientScale), Self(arguments.gradientDecay))
        let factor = Self(arguments.parameterFactor)
        let (rest1, beta2, rest2) = (
            Self(1 - arguments.beta1), Self(arguments.beta2), Self(1 - arguments.beta2)
        )
        let (stepSize, correction) = (Self(arguments.stepSize), Self(arguments.correction))
        let epsilon = Self(arguments.epsilon)
        for index in 0..<arguments.count {
            let w = arguments.parameter[index]
            let g = scale * arguments.gradient[index] + decay * w
            let m = arguments.firstMoment[index] + rest1 * (g - arguments.firstMoment[index])
            let v = beta2 * arguments.secondMoment[index] + rest2 * g * g
            arguments.firstMoment[index] = m
            arguments.secondMoment[index] = v
            arguments.parameter[index] = factor * w - stepSize * m / (v.squareRoot() / correction + epsilon)
        }
    }
}

/// ((0+8)+(4+12)) + … : the fixed tree that ends sixteen interleaved chains.
func pairwiseSum(_ chains: SIMD16<Double>) -> Double {
    let eight = chains.lowHalf + chains.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}
