import BatonChecks
internal import BatonKernels
public import BatonTensor

/// Scales tensors in place so that their joint norm is at most a maximum: n = √Σ‖a‖², factor min(1, maximum/(n + 10⁻⁸)).
///
/// Squares are summed in f64, tensor by tensor in the given order.
///
/// - Returns: n, before scaling.
/// - Throws: `NNError` if n is not finite and `checksFinite`; then nothing is scaled. Gluon warns and scales.
/// - Source: Gluon `utils.clip_global_norm` (parity 1.10).
@discardableResult
public func clipGlobalNorm(
    _ tensors: [Tensor], maximum: Double, checksFinite: Bool = true
) throws(NNError) -> Double {
    require(maximum >= 0, "clipGlobalNorm: expected maximum ≥ 0, got \(maximum)")
    func squares<Scalar: DifferentiableScalar>(_ tensor: Tensor, _: Scalar.Type) -> Double {
        Scalar.sumOfSquares(tensor.pointer(of: Scalar.self), count: tensor.count)
    }
    var sum = 0.0
    for tensor in tensors { sum += squares(tensor, tensor.dtype.differentiable(for: "clipGlobalNorm")) }
    let norm = sum.squareRoot()
    if checksFinite && !norm.isFinite {
        throw NNError("The norm of the gradients is \(norm); lower the learning rate, or check the data for NaN.")
    }
    let factor = min(1, maximum / (norm + 1e-8))
    if factor != 1 { for tensor in tensors { tensor.scale(by: factor) } }
    return norm
}
