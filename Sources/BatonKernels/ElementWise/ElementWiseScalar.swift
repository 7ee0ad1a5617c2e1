public import BatonKernelABI

/// Element-wise passes over contiguous arrays: lane kernels for f32, plain loops for f64.
///
/// A result may be written over an operand of the same pass. `adds` adds to the destination instead of
/// overwriting it.
public protocol ElementWiseScalar: BinaryFloatingPoint, Sendable {
    /// out = x + y.
    static func addElements(
        _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, count: Int)
    /// out = x · y, or out + x · y.
    static func multiply(
        _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, count: Int,
        adds: Bool)
    /// out = factor · x, or out + factor · x.
    static func scale(
        _ x: UnsafePointer<Self>, by factor: Self, into out: UnsafeMutablePointer<Self>, count: Int, adds: Bool)
    /// out = φ(x).
    static func activate(
        _ activation: Activation, _ x: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, count: Int)
    /// out = dy · φ′, the derivative taken from y = φ(x); or added.
    static func activationGradient(
        _ activation: Activation, value y: UnsafePointer<Self>, gradient dy: UnsafePointer<Self>,
        into out: UnsafeMutablePointer<Self>, count: Int, adds: Bool)
    /// Zeroes elements by a counter-based mask and scales the others.
    static func dropout(
        _ mask: DropoutMask, _ x: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>, adds: Bool)
    /// Σ eˣ⁻ᵐ and m = max x of one row; if `exponentials` is given, the terms are written there.
    static func softmaxTerms(
        _ x: UnsafePointer<Self>, count: Int, exponentials: UnsafeMutablePointer<Self>?
    ) -> (maximum: Double, sum: Double)
    /// Σ x² in f64: sixteen interleaved chains, added pairwise at the end.
    static func sumOfSquares(_ x: UnsafePointer<Self>, count: Int) -> Double
    /// One optimiser pass over `arguments.count` elements.
    static func momentumUpdate(_ arguments: MomentumUpdateArguments<Self>)
    /// One optimiser pass over `arguments.count` elements.
    static func adamUpdate(_ arguments: AdamUpdateArguments<Self>)
    /// One optimiser pass over `arguments.count` elements.
    static func rmsPropUpdate(_ arguments: RMSPropUpdateArguments<Self>)
}
