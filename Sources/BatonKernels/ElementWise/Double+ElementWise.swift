public import BatonKernelABI

/// f64 on plain loops.
extension Double: ElementWiseScalar, PlainElementWise {
    /// out = x + y.
    public static func addElements(
        _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, count: Int
    ) { plainAddElements(x, y, into: out, count: count) }

    /// out = x · y, or added.
    public static func multiply(
        _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, count: Int,
        adds: Bool
    ) { plainMultiply(x, y, into: out, count: count, adds: adds) }

    /// out = factor · x, or added.
    public static func scale(
        _ x: UnsafePointer<Double>, by factor: Double, into out: UnsafeMutablePointer<Double>, count: Int, adds: Bool
    ) { plainScale(x, by: factor, into: out, count: count, adds: adds) }

    /// out = φ(x).
    public static func activate(
        _ activation: Activation, _ x: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, count: Int
    ) { plainActivate(activation, x, into: out, count: count) }

    /// out = dy · φ′, or added.
    public static func activationGradient(
        _ activation: Activation, value y: UnsafePointer<Double>, gradient dy: UnsafePointer<Double>,
        into out: UnsafeMutablePointer<Double>, count: Int, adds: Bool
    ) { plainActivationGradient(activation, value: y, gradient: dy, into: out, count: count, adds: adds) }

    /// See `DropoutMask`.
    public static func dropout(
        _ mask: DropoutMask, _ x: UnsafePointer<Double>, into out: UnsafeMutablePointer<Double>, adds: Bool
    ) { plainDropout(mask, x, into: out, adds: adds) }

    /// Σ eˣ⁻ᵐ and m = max x.
    public static func softmaxTerms(
        _ x: UnsafePointer<Double>, count: Int, exponentials: UnsafeMutablePointer<Double>?
    ) -> (maximum: Double, sum: Double) { plainSoftmaxTerms(x, count: count, exponentials: exponentials) }

    /// Σ x².
    public static func sumOfSquares(_ x: UnsafePointer<Double>, count: Int) -> Double {
        plainSumOfSquares(x, count: count)
    }

    /// Gradient descent with momentum.
    public static func momentumUpdate(_ arguments: MomentumUpdateArguments<Double>) { plainMomentumUpdate(arguments) }

    /// Adam and AdamW.
    public static func adamUpdate(_ arguments: AdamUpdateArguments<Double>) { plainAdamUpdate(arguments) }
}
