public import BatonKernelABI

extension Double {
    /// Gradient descent with momentum.
    public static func momentumUpdate(_ arguments: MomentumUpdateArguments<Double>) {
        for index in 0..<arguments.count {
            let w = arguments.parameter[index]
            let g =
                clipped(arguments.gradientScale * arguments.gradient[index], to: arguments.gradientBound)
                + arguments.weightDecay * w
            var m = arguments.gradientFactor * g
            if let momentum = arguments.momentum {
                m += arguments.decay * momentum[index]
                momentum[index] = m
            }
            arguments.parameter[index] = w + arguments.stepFactor * m
        }
    }

    /// Adam and AdamW.
    public static func adamUpdate(_ arguments: AdamUpdateArguments<Double>) {
        let (rest1, beta2, rest2) = (1 - arguments.beta1, arguments.beta2, 1 - arguments.beta2)
        for index in 0..<arguments.count {
            let w = arguments.parameter[index]
            let g = clipped(
                arguments.gradientScale * arguments.gradient[index] + arguments.gradientDecay * w,
                to: arguments.gradientBound)
            let m = arguments.firstMoment[index] + rest1 * (g - arguments.firstMoment[index])
            let v = beta2 * arguments.secondMoment[index] + rest2 * g * g
            arguments.firstMoment[index] = m
            arguments.secondMoment[index] = v
            arguments.parameter[index] =
                arguments.parameterFactor * w
                - arguments.stepSize * m / (v.squareRoot() / arguments.correction + arguments.epsilon)
        }
    }

    /// RMSProp.
    public static func rmsPropUpdate(_ arguments: RMSPropUpdateArguments<Double>) {
        let (gamma1, rest) = (arguments.gamma1, 1 - arguments.gamma1)
        for index in 0..<arguments.count {
            let w = arguments.parameter[index]
            let g = clipped(
                arguments.gradientScale * arguments.gradient[index] + arguments.gradientDecay * w,
                to: arguments.gradientBound)
            let square = gamma1 * arguments.square[index] + rest * g * g
            arguments.square[index] = square
            var (variance, step) = (square, 0.0)
            if let centre = arguments.centre {
                let mean = gamma1 * centre.mean[index] + rest * g
                centre.mean[index] = mean
                variance -= mean * mean
                step = arguments.gamma2 * centre.delta[index]
            }
            step -= arguments.learningRate * g / (variance + arguments.epsilon).squareRoot()
            arguments.centre?.delta[index] = step
            arguments.parameter[index] = clipped(w + step, to: arguments.parameterBound)
        }
    }
}

/// NaN stays.
private func clipped(_ value: Double, to bound: Double) -> Double {
    value > bound ? bound : value < -bound ? -bound : value
}
