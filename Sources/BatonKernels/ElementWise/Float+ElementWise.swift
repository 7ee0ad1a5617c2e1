public import BatonKernelABI

/// f32.
extension Float: ElementWiseScalar, PlainElementWise {
    public static func addElements(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) { plainAddElements(x, y, into: out, count: count) }

    public static func multiply(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int,
        adds: Bool
    ) { plainMultiply(x, y, into: out, count: count, adds: adds) }

    public static func scale(
        _ x: UnsafePointer<Float>, by factor: Float, into out: UnsafeMutablePointer<Float>, count: Int, adds: Bool
    ) { plainScale(x, by: factor, into: out, count: count, adds: adds) }

    public static func activate(
        _ activation: Activation, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) { plainActivate(activation, x, into: out, count: count) }

    public static func activationGradient(
        _ activation: Activation, value y: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>, count: Int, adds: Bool
    ) { plainActivationGradient(activation, value: y, gradient: dy, into: out, count: count, adds: adds) }

    public static func dropout(
        _ mask: DropoutMask, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, adds: Bool
    ) { plainDropout(mask, x, into: out, adds: adds) }

    public static func softmaxTerms(
        _ x: UnsafePointer<Float>, count: Int, exponentials: UnsafeMutablePointer<Float>?
    ) -> (maximum: Double, sum: Double) { plainSoftmaxTerms(x, count: count, exponentials: exponentials) }

    public static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
        plainSumOfSquares(x, count: count)
    }

    public static func momentumUpdate(_ arguments: MomentumUpdateArguments<Float>) { plainMomentumUpdate(arguments) }

    public static func adamUpdate(_ arguments: AdamUpdateArguments<Float>) { plainAdamUpdate(arguments) }
}
