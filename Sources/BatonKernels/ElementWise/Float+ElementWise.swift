public import BatonKernelABI

/// f32 on the lane kernels of the process's instruction set.
extension Float: ElementWiseScalar {
    private static var table: ElementWiseTable { KernelSelection.activeTable.elementWise }

    /// out = x + y.
    public static func addElements(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) { table.add(x, y, out, count) }

    /// out = x · y, or added.
    public static func multiply(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int,
        adds: Bool
    ) { table.multiply(x, y, out, count, adds) }

    /// out = factor · x, or added.
    public static func scale(
        _ x: UnsafePointer<Float>, by factor: Float, into out: UnsafeMutablePointer<Float>, count: Int, adds: Bool
    ) { table.scale(x, factor, out, count, adds) }

    /// out = φ(x).
    public static func activate(
        _ activation: Activation, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) {
        switch activation {
        case .tanh: KernelSelection.activeTable.hyperbolicTangent(x, out, count)
        case .relu: table.relu(x, out, count)
        case .sigmoid: KernelSelection.activeTable.sigmoid(x, out, count)
        }
    }

    /// out = dy · φ′, or added.
    public static func activationGradient(
        _ activation: Activation, value y: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>, count: Int, adds: Bool
    ) {
        switch activation {
        case .tanh: table.tanhGradient(y, dy, out, count, adds)
        case .relu: table.reluGradient(y, dy, out, count, adds)
        case .sigmoid: table.sigmoidGradient(y, dy, out, count, adds)
        }
    }

    /// See `DropoutMask`.
    public static func dropout(
        _ mask: DropoutMask, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, adds: Bool
    ) { table.dropout(mask, x, out, adds) }

    /// Σ eˣ⁻ᵐ and m = max x.
    public static func softmaxTerms(
        _ x: UnsafePointer<Float>, count: Int, exponentials: UnsafeMutablePointer<Float>?
    ) -> (maximum: Double, sum: Double) {
        let terms = table.softmaxTerms(x, count, exponentials)
        return (Double(terms.maximum), terms.sum)
    }

    /// Σ x².
    public static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double { table.sumOfSquares(x, count) }

    /// Gradient descent with momentum.
    public static func momentumUpdate(_ arguments: MomentumUpdateArguments<Float>) { table.momentumUpdate(arguments) }

    /// Adam and AdamW.
    public static func adamUpdate(_ arguments: AdamUpdateArguments<Float>) { table.adamUpdate(arguments) }

    /// RMSProp.
    public static func rmsPropUpdate(_ arguments: RMSPropUpdateArguments<Float>) { table.rmsPropUpdate(arguments) }
}
