internal import BatonKernelABI

/// Gradient descent with momentum, see `MomentumUpdateArguments`.
func momentumUpdate(_ arguments: MomentumUpdateArguments<Float>) {
    let scale = splat(Float(arguments.gradientScale))
    let bound = Float(arguments.gradientBound)
    let weightDecay = splat(Float(arguments.weightDecay))
    let decay = splat(Float(arguments.decay))
    let gradientFactor = splat(Float(arguments.gradientFactor))
    let stepFactor = splat(Float(arguments.stepFactor))
    forEachVector(arguments.count) { index, count in
        let parameter = arguments.parameter + index
        let w = read(parameter, count)
        let g = mulAdd(weightDecay, w, clamped(scale * read(arguments.gradient + index, count), to: bound))
        var m = gradientFactor * g
        if let momentum = arguments.momentum {
            m = mulAdd(decay, read(momentum + index, count), m)
            write(m, momentum + index, count)
        }
        write(mulAdd(stepFactor, m, w), parameter, count)
    }
}

/// Adam and AdamW, see `AdamUpdateArguments`.
func adamUpdate(_ arguments: AdamUpdateArguments<Float>) {
    let scale = splat(Float(arguments.gradientScale))
    let decay = splat(Float(arguments.gradientDecay))
    let bound = Float(arguments.gradientBound)
    let factor = splat(Float(arguments.parameterFactor))
    let rest1 = splat(Float(1 - arguments.beta1))
    let beta2 = splat(Float(arguments.beta2))
    let rest2 = splat(Float(1 - arguments.beta2))
    let stepSize = splat(Float(-arguments.stepSize))
    let correction = splat(Float(1 / arguments.correction))
    let epsilon = splat(Float(arguments.epsilon))
    forEachVector(arguments.count) { index, count in
        let parameter = arguments.parameter + index
        let w = read(parameter, count)
        let g = clamped(mulAdd(decay, w, scale * read(arguments.gradient + index, count)), to: bound)
        let before = read(arguments.firstMoment + index, count)
        let m = mulAdd(rest1, g - before, before)
        let v = mulAdd(rest2 * g, g, beta2 * read(arguments.secondMoment + index, count))
        write(m, arguments.firstMoment + index, count)
        write(v, arguments.secondMoment + index, count)
        let denominator = mulAdd(laneSquareRoot(v), correction, epsilon)
        write(mulAdd(stepSize, m / denominator, factor * w), parameter, count)
    }
}

/// RMSProp, see `RMSPropUpdateArguments`.
func rmsPropUpdate(_ arguments: RMSPropUpdateArguments<Float>) {
    let scale = splat(Float(arguments.gradientScale))
    let decay = splat(Float(arguments.gradientDecay))
    let (bound, parameterBound) = (Float(arguments.gradientBound), Float(arguments.parameterBound))
    let (gamma1, gamma2) = (splat(Float(arguments.gamma1)), splat(Float(arguments.gamma2)))
    let rest = splat(Float(1 - arguments.gamma1))
    let rate = splat(Float(-arguments.learningRate))
    let epsilon = splat(Float(arguments.epsilon))
    forEachVector(arguments.count) { index, count in
        let parameter = arguments.parameter + index
        let w = read(parameter, count)
        let g = clamped(mulAdd(decay, w, scale * read(arguments.gradient + index, count)), to: bound)
        let square = mulAdd(rest * g, g, gamma1 * read(arguments.square + index, count))
        write(square, arguments.square + index, count)
        var variance = square
        var step = Lane()
        if let centre = arguments.centre {
            let mean = mulAdd(rest, g, gamma1 * read(centre.mean + index, count))
            write(mean, centre.mean + index, count)
            variance = mulAdd(-mean, mean, square)
            step = gamma2 * read(centre.delta + index, count)
        }
        step = mulAdd(rate, g / laneSquareRoot(variance + epsilon), step)
        if let centre = arguments.centre { write(step, centre.delta + index, count) }
        write(clamped(w + step, to: parameterBound), parameter, count)
    }
}

/// Calls the body for every vector of an array, with the number of its elements that exist.
@inline(__always) private func forEachVector(_ count: Int, _ body: (_ index: Int, _ count: Int) -> Void) {
    var index = 0
    while index &+ laneCount <= count {
        body(index, laneCount)
        index &+= laneCount
    }
    if index < count { body(index, count &- index) }
}

@inline(__always) private func read(_ pointer: UnsafePointer<Float>, _ count: Int) -> Lane {
    count >= laneCount ? load(pointer) : loadPartial(pointer, count)
}

@inline(__always) private func write(_ value: Lane, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count >= laneCount { store(value, pointer) } else { storePartial(value, pointer, count) }
}
