import BatonChecks

/// A value in a computation and, during the backward pass, the gradient of the objective with respect to it.
///
/// Not Sendable: a variable stays on its rank's thread.
public final class Variable {
    /// The value. Its memory must not change between the forward and the backward pass.
    public let value: Tensor
    /// Shape and type as the value. During the backward pass the sum over the consumers visited so far; afterwards
    /// only variables that no node produced (the inputs of the computation) keep theirs.
    public var gradient: Tensor?
    /// Whether the backward pass computes a gradient for it.
    public let requiresGradient: Bool
    /// Which rows of the value are equal, if that is known.
    public let repeatedRows: RepeatedRows?
    /// Nodes on the tape that write into `value` and have not been walked back yet.
    var pendingProducers = 0

    /// A value; by default one that no gradient is computed for.
    public convenience init(_ value: Tensor, requiresGradient: Bool = false) {
        self.init(value, requiresGradient: requiresGradient, repeatedRows: nil)
    }

    init(_ value: Tensor, requiresGradient: Bool, repeatedRows: RepeatedRows?) {
        self.value = value
        self.requiresGradient = requiresGradient
        self.repeatedRows = repeatedRows
    }

    /// Shape of the value.
    public var shape: [Int] { value.shape }
    /// Element type of the value.
    public var dtype: DType { value.dtype }

    /// Where a consumer puts its contribution to the gradient: the existing gradient, to be added to, or fresh
    /// memory of unspecified content, to be overwritten completely.
    public func gradientTarget() -> (tensor: Tensor, adds: Bool) {
        if let gradient { return (gradient, true) }
        let fresh = Tensor(uninitialized: value.shape, dtype: value.dtype)
        gradient = fresh
        return (fresh, false)
    }

    /// The gradient as memory that can be added to: zeros if there is none yet.
    public func gradientAccumulator() -> Tensor {
        if let gradient { return gradient }
        let zeros = Tensor(zeros: value.shape, dtype: value.dtype)
        gradient = zeros
        return zeros
    }

    /// Adds a contribution. With no gradient yet the tensor itself becomes it, so it must not be used afterwards.
    ///
    /// - Precondition: shape and type of the value.
    public func consumeGradient(_ contribution: Tensor) {
        require(
            contribution.shape == value.shape && contribution.dtype == value.dtype,
            "Variable: a gradient of \(contribution.shape) \(contribution.dtype.rawValue) for a value of \(value.shape) \(value.dtype.rawValue)"
        )
        guard let gradient else {
            gradient = contribution
            return
        }
        gradient.add(contribution)
    }
}
