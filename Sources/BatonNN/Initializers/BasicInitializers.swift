import BatonChecks
public import BatonTensor

/// U(−scale, scale). Gluon's default for everything.
public struct UniformInitializer: Initializer {
    /// Half the width of the range.
    public var scale: Double
    /// U(−scale, scale).
    public init(_ scale: Double = 0.07) { self.scale = scale }

    /// Fills with U(−scale, scale).
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        let bound = abs(scale)
        tensor.fillUniform(-bound...bound, stream: stream)
    }
}

/// N(0, sigma²).
public struct NormalInitializer: Initializer {
    /// Standard deviation.
    public var sigma: Double
    /// N(0, sigma²).
    public init(_ sigma: Double = 0.01) { self.sigma = sigma }

    /// Fills with N(0, sigma²).
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        tensor.fillNormal(standardDeviation: sigma, stream: stream)
    }
}

/// One value everywhere: `zero`, `one`, or any other.
public struct ConstantInitializer: Initializer {
    /// The value.
    public var value: Double
    /// The value everywhere.
    public init(_ value: Double) { self.value = value }
    /// Zeros.
    public static var zero: ConstantInitializer { ConstantInitializer(0) }
    /// Ones.
    public static var one: ConstantInitializer { ConstantInitializer(1) }

    /// Fills with the value.
    public func fill(_ tensor: Tensor, stream: RandomStream) { tensor.fill(value) }
}

/// Zeros, with `forgetBias` in the rows H ..< 2H of the forget gate of an LSTM's stacked bias (4·H).
public struct LSTMBiasInitializer: Initializer {
    /// The forget gate's value.
    public var forgetBias: Double
    /// Zeros but for the forget gate.
    public init(forgetBias: Double = 1) { self.forgetBias = forgetBias }

    /// - Precondition: a vector whose length is a multiple of four.
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        require(
            tensor.rank == 1 && tensor.count % 4 == 0, "LSTMBiasInitializer: expected (4·H), got \(tensor.shape)")
        let hidden = tensor.count / 4
        tensor.fillWithZero()
        tensor[leading: hidden..<2 * hidden].fill(forgetBias)
    }
}
