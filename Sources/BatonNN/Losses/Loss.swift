import BatonChecks
public import BatonTensor

/// A loss per sample: element by element, times the weights, mean over all axes but the batch axis, (N).
///
/// A step of training sums the samples, so the trainer divides by the batch size. Source: Gluon `gluon.loss`.
public protocol Loss: CustomStringConvertible {
    /// Factor of every element; nil is 1 (for `L2Loss` 1/2 times the weight, as in Gluon).
    var weight: Double? { get }
    /// The axis of the samples.
    var batchAxis: Int { get }

    /// The loss of every sample.
    ///
    /// - Parameters:
    ///   - label: gets no gradient.
    ///   - sampleWeight: further factors, broadcast along axes of size 1: (N, 1, …) weighs samples, (N, T, 1) steps.
    func callAsFunction(
        _ prediction: Variable, _ label: Tensor, sampleWeight: Tensor?, _ context: ForwardContext
    ) -> Variable
}

extension Loss {
    /// Without factors of samples.
    public func callAsFunction(_ prediction: Variable, _ label: Tensor, _ context: ForwardContext) -> Variable {
        self(prediction, label, sampleWeight: nil, context)
    }

    /// `L2Loss(batch_axis=0, w=1.0)`.
    public var description: String {
        "\(type(of: self))(batch_axis=\(batchAxis), w=\(weight.map { "\($0)" } ?? "None"))"
    }

    /// The loss of every sample, of a value and a derivative for each element.
    func elements(
        _ prediction: Variable, _ label: Tensor, _ sampleWeight: Tensor?, _ context: ForwardContext, scale: Double = 1,
        _ loss: @escaping (_ prediction: Double, _ label: Double) -> (value: Double, derivative: Double)
    ) -> Variable {
        context.elementLoss(
            prediction, label: label,
            weights: factors(sampleWeight, rank: prediction.shape.count, dtype: prediction.dtype, scale: scale),
            batchAxis: batchAxis, name: "\(type(of: self))", loss)
    }

    /// Sample weights times the global weight, of the prediction's type and rank.
    func factors(_ sampleWeight: Tensor?, rank: Int, dtype: DType, scale: Double = 1) -> Tensor? {
        let global = (weight ?? 1) * scale
        guard let sampleWeight else {
            return global == 1
                ? nil : Tensor(doubles: [global], shape: [Int](repeating: 1, count: rank), dtype: dtype)
        }
        require(
            sampleWeight.rank == rank,
            "\(type(of: self)): expected sample weights of \(rank) axes, got \(sampleWeight.shape); use size 1 where they are repeated"
        )
        return Tensor(
            doubles: sampleWeight.doubles().map { $0 * global }, shape: sampleWeight.shape, dtype: dtype)
    }
}

/// −Σ_v label·log softmax(prediction). Labels are class numbers, or with `sparseLabel` false probabilities of all
/// classes. Source: Gluon `SoftmaxCrossEntropyLoss`, over the last axis.
public struct SoftmaxCrossEntropyLoss: Loss {
    /// Whether labels are class numbers.
    public let sparseLabel: Bool
    /// Whether predictions are log-probabilities already.
    public let fromLogits: Bool
    /// Factor of every element.
    public let weight: Double?
    /// The axis of the samples.
    public let batchAxis: Int

    /// Gluon's defaults.
    public init(sparseLabel: Bool = true, fromLogits: Bool = false, weight: Double? = nil, batchAxis: Int = 0) {
        self.sparseLabel = sparseLabel
        self.fromLogits = fromLogits
        self.weight = weight
        self.batchAxis = batchAxis
    }

    /// The loss of every sample, see `Loss`.
    ///
    /// - Precondition: labels of the prediction's shape (…, V) without V, or with `sparseLabel` false of all of it, up to axes
    ///   of size 1.
    public func callAsFunction(
        _ prediction: Variable, _ label: Tensor, sampleWeight: Tensor?, _ context: ForwardContext
    ) -> Variable {
        let shape = prediction.shape
        let expected = sparseLabel ? Array(shape.dropLast()) : shape
        require(
            !shape.isEmpty && label.hasSameAxes(as: expected),
            "SoftmaxCrossEntropyLoss: expected labels \(expected) for predictions \(shape), got \(label.shape)")
        let classes = label.reshaped(expected)
        return context.crossEntropyLoss(
            prediction, label: classes, fromLogits: fromLogits,
            weights: factors(sampleWeight, rank: shape.count, dtype: prediction.dtype), batchAxis: batchAxis)
    }
}
