public import BatonTensor

/// The packed form of a layer's weight and bias, refreshed when one of them changed.
public final class LinearLayerProduct {
    private var product: (any LinearProduct)?
    private var dtype: DType?
    private var versions: [Int] = []
    private var preparedForTraining = false

    /// Nothing packed yet.
    public init() {}

    /// The product y = x·Wᵀ + b of W (units, C) and b (units), packed anew if a parameter has changed since the last call.
    ///
    /// - Parameter training: whether its backward products will be asked for.
    public func refreshed(weight: Parameter, bias: Parameter?, training: Bool) -> any LinearProduct {
        if dtype != weight.dtype { product = nil }
        dtype = weight.dtype
        let current = product ?? makeLinearProduct(units: weight.shape[0], width: weight.shape[1], dtype: weight.dtype)
        let seen = [weight.version, bias?.version ?? 0]
        if product == nil || seen != versions || (training && !preparedForTraining) {
            current.update(weight: weight.data, bias: bias?.data, training: training)
            versions = seen
            preparedForTraining = training
        }
        product = current
        return current
    }
}
