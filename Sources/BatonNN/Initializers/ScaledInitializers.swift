import BatonChecks
public import BatonTensor

/// Random numbers scaled by the widths of a layer: s = √(magnitude / f), f a fan; U(−s, s) or N(0, s²).
///
/// fan-in = shape[1]·Π shape[2…], fan-out = shape[0]·Π shape[2…]; the fan-out of stacked gates is G·H.
/// Source: Glorot & Bengio 2010; Gluon `init.Xavier` (parity 3.4).
public struct XavierInitializer: Initializer {
    /// Shape of the distribution.
    public enum Distribution: String, Sendable, Codable { case uniform, gaussian }
    /// The fan that f stands for.
    public enum Factor: String, Sendable, Codable { case average = "avg", fanIn = "in", fanOut = "out" }

    /// Shape of the distribution.
    public var distribution: Distribution
    /// The fan that f stands for.
    public var factor: Factor
    /// Numerator under the root.
    public var magnitude: Double

    /// Gluon's defaults.
    public init(distribution: Distribution = .uniform, factor: Factor = .average, magnitude: Double = 3) {
        self.distribution = distribution
        self.factor = factor
        self.magnitude = magnitude
    }

    /// - Precondition: at least two dimensions.
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        require(tensor.rank >= 2, "XavierInitializer: expected at least two dimensions, got \(tensor.shape)")
        let field = tensor.shape.dropFirst(2).reduce(1, *)
        let (fanIn, fanOut) = (Double(tensor.shape[1] * field), Double(tensor.shape[0] * field))
        let fan =
            switch factor {
            case .average: (fanIn + fanOut) / 2
            case .fanIn: fanIn
            case .fanOut: fanOut
            }
        let scale = (magnitude / fan).squareRoot()
        switch distribution {
        case .uniform: tensor.fillUniform(-scale...scale, stream: stream)
        case .gaussian: tensor.fillNormal(standardDeviation: scale, stream: stream)
        }
    }
}

/// Xavier's normal numbers with magnitude 2 / (1 + slope²), for rectified units.
///
/// Source: He et al. 2015; Gluon `init.MSRAPrelu`.
public struct MSRAPreluInitializer: Initializer {
    /// The fan that f stands for.
    public var factor: XavierInitializer.Factor
    /// Slope of the rectifier's negative side.
    public var slope: Double

    /// Gluon's defaults.
    public init(factor: XavierInitializer.Factor = .average, slope: Double = 0.25) {
        self.factor = factor
        self.slope = slope
    }

    /// Fills with N(0, s²).
    public func fill(_ tensor: Tensor, stream: RandomStream) {
        XavierInitializer(distribution: .gaussian, factor: factor, magnitude: 2 / (1 + slope * slope))
            .fill(tensor, stream: stream)
    }
}
