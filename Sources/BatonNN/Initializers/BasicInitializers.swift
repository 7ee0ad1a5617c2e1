public import BatonTensor

/// U(−scale, scale). Gluon's default for everything.
public struct UniformInitializer: Initializer {
    public var scale: Double
    public init(_ scale: Double = 0.07) { self.scale = scale }

    public func fill(_ tensor: Tensor, stream: RandomStream) {
        let bound = abs(scale)
        tensor.fillUniform(-bound...bound, stream: stream)
    }
}

/// N(0, sigma²).
public struct NormalInitializer: Initializer {
    public var sigma: Double
    public init(_ sigma: Double = 0.01) { self.sigma = sigma }

    public func fill(_ tensor: Tensor, stream: RandomStream) {
        tensor.fillNormal(standardDeviation: sigma, stream: stream)
    }
}

/// One value everywhere: `zero`, `one`, or any other.
public struct ConstantInitializer: Initializer {
    public var value: Double
    public init(_ value: Double) { self.value = value }
    public static var zero: ConstantInitializer { ConstantInitializer(0) }
    public static var one: ConstantInitializer { ConstantInitializer(1) }

    public func fill(_ tensor: Tensor, stream: RandomStream) { tensor.fill(value) }
}

/// Zeros, with `forgetBias` in the rows H ..< 2H of the forget gate of an LSTM's stacked bias (4·H).
public struct LSTMBiasInitializer: Initializer {
    public var forgetBias: Double
    public init(forgetBias: Double = 1) { self.forgetBias = forgetBias }

    /// - Precondition: a vector whose length is a multiple of four.
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        precondition(
            tensor.rank == 1 && tensor.count % 4 == 0, "LSTMBiasInitializer: expected (4·H), got \(tensor.shape)")
        let hidden = tensor.count / 4
        tensor.fillWithZero()
        tensor[leading: hidden..<2 * hidden].fill(forgetBias)
    }
}
