public import BatonKernels

/// An element type that layers and operations compute in: f32 or f64.
public protocol DifferentiableScalar: TensorScalar, KernelScalar, ElementWiseScalar {}

extension Float: DifferentiableScalar {}
extension Double: DifferentiableScalar {}

extension DType {
    /// The element type's operations.
    ///
    /// - Precondition: float32 or float64; `operation` is named in the message.
    public func differentiable(for operation: String) -> any DifferentiableScalar.Type {
        switch self {
        case .float32: return Float.self
        case .float64: return Double.self
        case .int32, .int64:
            fatalError("\(operation): expected float32 or float64, got \(rawValue)")
        }
    }
}
