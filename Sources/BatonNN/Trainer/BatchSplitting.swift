public import BatonTensor

/// Cuts a batch into slices along an axis.
///
/// - Parameter even: whether all slices must be equal; else the first `size mod count` get one entry more.
/// - Throws: `NNError` if the axis is too short, or not divisible although it must be.
/// - Source: Gluon `utils.split_data` (parity 1.10).
public func splitData(
    _ data: Tensor, into count: Int, batchAxis: Int = 0, even: Bool = true
) throws(NNError) -> [Tensor] {
    guard count >= 1, data.shape.indices.contains(batchAxis), data.shape[batchAxis] >= count else {
        throw NNError("Cannot split axis \(batchAxis) of \(data.shape) into \(count) slices; use fewer of them.")
    }
    let size = data.shape[batchAxis]
    guard !even || size % count == 0 else {
        throw NNError(
            "Axis \(batchAxis) of \(data.shape) is not divisible into \(count) equal slices; choose a batch size that is a multiple, or allow uneven slices."
        )
    }
    var start = 0
    return (0..<count).map { index in
        let end = start + size / count + (index < size % count ? 1 : 0)
        defer { start = end }
        return data.block(start..<end, axis: batchAxis)
    }
}
