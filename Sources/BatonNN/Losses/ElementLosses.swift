import BatonChecks
public import BatonTensor
internal import Glibc

/// −w·l·log p − (1−l)·log(1−p) for labels l in [0, 1], with p = σ(prediction), or the prediction itself if `fromSigmoid`
/// (then 10⁻¹² is added inside the logarithms). Source: Gluon `SigmoidBinaryCrossEntropyLoss`.
public struct SigmoidBinaryCrossEntropyLoss: Loss {
    /// Whether predictions are probabilities already.
    public let fromSigmoid: Bool
    /// w, weight of positive labels.
    public let positiveWeight: Double
    /// Factor of every element.
    public let weight: Double?
    /// The axis of the samples.
    public let batchAxis: Int

    /// Gluon's defaults.
    public init(fromSigmoid: Bool = false, positiveWeight: Double = 1, weight: Double? = nil, batchAxis: Int = 0) {
        self.fromSigmoid = fromSigmoid
        self.positiveWeight = positiveWeight
        self.weight = weight
        self.batchAxis = batchAxis
    }

    /// The loss of every sample, see `Loss`.
    public func callAsFunction(
        _ prediction: Variable, _ label: Tensor, sampleWeight: Tensor?, _ context: ForwardContext
    ) -> Variable {
        let positive = positiveWeight
        if fromSigmoid {
            let epsilon = 1e-12
            return elements(prediction, label, sampleWeight, context) { p, l in
                (
                    -(positive * l * log(p + epsilon) + (1 - l) * log(1 - p + epsilon)),
                    -(positive * l / (p + epsilon) - (1 - l) / (1 - p + epsilon))
                )
            }
        }
        return elements(prediction, label, sampleWeight, context) { x, l in
            // log(1 + e⁻ˣ) without overflow; its derivative is −σ(−x).
            let logWeight = 1 + (positive - 1) * l
            let soft = log1p(exp(-abs(x))) + max(-x, 0)
            return (x - x * l + logWeight * soft, 1 - l - logWeight / (1 + exp(x)))
        }
    }
}

/// |prediction − label|. Source: Gluon `L1Loss`.
public struct L1Loss: Loss {
    /// Factor of every element.
    public let weight: Double?
    /// The axis of the samples.
    public let batchAxis: Int

    /// Gluon's defaults.
    public init(weight: Double? = nil, batchAxis: Int = 0) {
        self.weight = weight
        self.batchAxis = batchAxis
    }

    /// The loss of every sample, see `Loss`.
    public func callAsFunction(
        _ prediction: Variable, _ label: Tensor, sampleWeight: Tensor?, _ context: ForwardContext
    ) -> Variable {
        return elements(prediction, label, sampleWeight, context) { x, l in (abs(x - l), x > l ? 1 : x < l ? -1 : 0) }
    }
}

/// (prediction − label)² / 2. Source: Gluon `L2Loss`.
public struct L2Loss: Loss {
    /// Factor of every element.
    public let weight: Double?
    /// The axis of the samples.
    public let batchAxis: Int

    /// Gluon's defaults.
    public init(weight: Double? = 1, batchAxis: Int = 0) {
        self.weight = weight
        self.batchAxis = batchAxis
    }

    /// The loss of every sample, see `Loss`.
    public func callAsFunction(
        _ prediction: Variable, _ label: Tensor, sampleWeight: Tensor?, _ context: ForwardContext
    ) -> Variable {
        return elements(prediction, label, sampleWeight, context, scale: 0.5) { x, l in ((x - l) * (x - l), 2 * (x - l))
        }
    }
}

/// d²/(2ρ) where the distance d of prediction and label is at most ρ, d − ρ/2 beyond. Source: Gluon `HuberLoss`.
public struct HuberLoss: Loss {
    /// ρ.
    public let rho: Double
    /// Factor of every element.
    public let weight: Double?
    /// The axis of the samples.
    public let batchAxis: Int

    /// Gluon's defaults.
    ///
    /// - Precondition: ρ > 0.
    public init(rho: Double = 1, weight: Double? = nil, batchAxis: Int = 0) {
        require(rho > 0, "HuberLoss: expected rho > 0, got \(rho)")
        self.rho = rho
        self.weight = weight
        self.batchAxis = batchAxis
    }

    /// The loss of every sample, see `Loss`.
    public func callAsFunction(
        _ prediction: Variable, _ label: Tensor, sampleWeight: Tensor?, _ context: ForwardContext
    ) -> Variable {
        let rho = rho
        return elements(prediction, label, sampleWeight, context) { x, l in
            let distance = abs(x - l)
            return distance > rho
                ? (distance - 0.5 * rho, x > l ? 1 : -1) : (0.5 / rho * distance * distance, (x - l) / rho)
        }
    }
}
