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
    func squares<Scalar: DifferentiableScalar>(_ tensor: Tensor, _: Scalar.Type) -> Double {
        Scalar.sumOfSquares(tensor.pointer(of: Scalar.self), count: tensor.count)
    }
    var sum = 0.0
    for tensor in tensors { sum += squares(tensor, tensor.dtype.differentiable(for: "clipGlobalNorm")) }
    let norm = sum.squareRoot()
    if checksFinite && !norm.isFinite {
        throw NNError("The norm of the gradients is \(norm); lower the learning rate, or check the data for NaN")
    }
    let factor = min(1, maximum / (norm + 1e-8))
    if factor != 1 { for tensor in tensors { tensor.scale(by: factor) } }
    return norm
}

/// Cuts a batch into slices along an axis.
///
/// - Parameter even: whether all slices must be equal; else the first `size mod count` get one entry more.
/// - Throws: `NNError` if the axis is too short, or not divisible although it must be.
/// - Source: Gluon `utils.split_data` (parity 1.10).
public func splitData(
    _ data: Tensor, into count: Int, batchAxis: Int = 0, even: Bool = true
) throws(NNError) -> [Tensor] {
    guard count >= 1, data.shape.indices.contains(batchAxis), data.shape[batchAxis] >= count else {
        throw NNError("Cannot split axis \(batchAxis) of \(data.shape) into \(count) slices; use fewer of them")
    }
    let size = data.shape[batchAxis]
    guard !even || size % count == 0 else {
        throw NNError(
            "Axis \(batchAxis) of \(data.shape) is not divisible into \(count) equal slices; choose a batch size that is a multiple, or allow uneven slices"
        )
    }
    let context = ForwardContext.inference(rows: 0)
    var start = 0
    return (0..<count).map { index in
        let end = start + size / count + (index < size % count ? 1 : 0)
        defer { start = end }
        return context.slice(Variable(data), axis: batchAxis, start..<end).value
    }
}
