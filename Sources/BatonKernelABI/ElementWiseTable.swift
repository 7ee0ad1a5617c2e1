/// The element-wise kernels of one instruction set. A result may be written over an operand.
///
/// Where the last argument is `adds`, true adds to the destination instead of overwriting it. The same arithmetic
/// runs in full and partial vectors, so bits do not depend on where an array is cut.
public struct ElementWiseTable: Sendable {
    /// Where an operand is read.
    public typealias Source = UnsafePointer<Float>
    /// Where a result is written.
    public typealias Target = UnsafeMutablePointer<Float>

    /// (x, y, out, count): out = x + y.
    public var add: @Sendable (Source, Source, Target, Int) -> Void
    /// (x, y, out, count, adds): out = x · y.
    public var multiply: @Sendable (Source, Source, Target, Int, Bool) -> Void
    /// (x, factor, out, count, adds): out = factor · x.
    public var scale: @Sendable (Source, Float, Target, Int, Bool) -> Void
    /// (x, out, count): out = max(x, 0); NaN stays NaN.
    public var relu: @Sendable (Source, Target, Int) -> Void
    /// (y, dy, out, count, adds): out = dy · (1 − y²).
    public var tanhGradient: @Sendable (Source, Source, Target, Int, Bool) -> Void
    /// (y, dy, out, count, adds): out = 0 where y ≤ 0, else dy, also where y is NaN.
    public var reluGradient: @Sendable (Source, Source, Target, Int, Bool) -> Void
    /// (y, dy, out, count, adds): out = dy · y(1 − y).
    public var sigmoidGradient: @Sendable (Source, Source, Target, Int, Bool) -> Void
    /// (mask, x, out, adds).
    public var dropout: @Sendable (DropoutMask, Source, Target, Bool) -> Void
    /// (x, count, exponentials): m = max x and Σ eˣ⁻ᵐ; the terms go to `exponentials` if it is given.
    public var softmaxTerms: @Sendable (Source, Int, Target?) -> (maximum: Float, sum: Double)
    /// (x, count): Σ x² in f64, sixteen interleaved chains added pairwise; the same bits on every instruction set.
    public var sumOfSquares: @Sendable (Source, Int) -> Double
    /// Gradient descent with momentum.
    public var momentumUpdate: @Sendable (MomentumUpdateArguments<Float>) -> Void
    /// Adam and AdamW.
    public var adamUpdate: @Sendable (AdamUpdateArguments<Float>) -> Void
    /// RMSProp.
    public var rmsPropUpdate: @Sendable (RMSPropUpdateArguments<Float>) -> Void

    /// All kernels, in order.
    public init(
        add: @escaping @Sendable (Source, Source, Target, Int) -> Void,
        multiply: @escaping @Sendable (Source, Source, Target, Int, Bool) -> Void,
        scale: @escaping @Sendable (Source, Float, Target, Int, Bool) -> Void,
        relu: @escaping @Sendable (Source, Target, Int) -> Void,
        tanhGradient: @escaping @Sendable (Source, Source, Target, Int, Bool) -> Void,
        reluGradient: @escaping @Sendable (Source, Source, Target, Int, Bool) -> Void,
        sigmoidGradient: @escaping @Sendable (Source, Source, Target, Int, Bool) -> Void,
        dropout: @escaping @Sendable (DropoutMask, Source, Target, Bool) -> Void,
        softmaxTerms: @escaping @Sendable (Source, Int, Target?) -> (maximum: Float, sum: Double),
        sumOfSquares: @escaping @Sendable (Source, Int) -> Double,
        momentumUpdate: @escaping @Sendable (MomentumUpdateArguments<Float>) -> Void,
        adamUpdate: @escaping @Sendable (AdamUpdateArguments<Float>) -> Void,
        rmsPropUpdate: @escaping @Sendable (RMSPropUpdateArguments<Float>) -> Void
    ) {
        self.add = add
        self.multiply = multiply
        self.scale = scale
        self.relu = relu
        self.tanhGradient = tanhGradient
        self.reluGradient = reluGradient
        self.sigmoidGradient = sigmoidGradient
        self.dropout = dropout
        self.softmaxTerms = softmaxTerms
        self.sumOfSquares = sumOfSquares
        self.momentumUpdate = momentumUpdate
        self.adamUpdate = adamUpdate
        self.rmsPropUpdate = rmsPropUpdate
    }
}
