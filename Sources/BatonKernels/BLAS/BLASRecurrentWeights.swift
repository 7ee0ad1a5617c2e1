import BatonChecks

/// Weights of one layer and direction for OpenBLAS: copies as they stand for the forward products, transposed ones
/// for the backward products, so that a panel of output columns is contiguous memory in both (see `RowProduct`).
final class BLASRecurrentWeights<Scalar: BLASScalar>: RecurrentWeights {
    let shape: RecurrentShape
    /// (G·H, I) and (G·H, R)
    let inputWeight: ScalarBuffer<Scalar>
    let hiddenWeight: ScalarBuffer<Scalar>
    /// (P, H), empty if not projected.
    let projectionWeight: ScalarBuffer<Scalar>
    /// As of the last update, if they were prepared since.
    var transposed: Transposed? { isReadyForBackward ? memory : nil }
    private var memory: Transposed?
    private var isReadyForBackward = false
    /// (G·H) added to the input product: b + q, but b alone for the GRU, whose q stands inside the reset product.
    let inputBias: ScalarBuffer<Scalar>
    /// (3H) GRU only, q.
    let hiddenBias: ScalarBuffer<Scalar>

    /// (I, G·H), (R, G·H) and (H, P)
    struct Transposed {
        let inputWeight: ScalarBuffer<Scalar>
        let hiddenWeight: ScalarBuffer<Scalar>
        let projectionWeight: ScalarBuffer<Scalar>
    }

    init(_ shape: RecurrentShape) {
        require(OpenBLASCore.usesOneThread, "OpenBLAS did not accept one thread")
        require(
            shape.precision == .float32,
            "BLASRecurrentWeights: weights in \(shape.precision.rawValue) need the packed kernels of float32")
        require(
            shape.shard.isWhole, "BLASRecurrentWeights: a part of the units needs the packed kernels of float32")
        self.shape = shape
        inputWeight = ScalarBuffer(shape.gateRows * shape.inputSize)
        hiddenWeight = ScalarBuffer(shape.gateRows * shape.outputSize)
        projectionWeight = ScalarBuffer((shape.projection ?? 0) * shape.hidden)
        inputBias = ScalarBuffer(shape.gateRows)
        hiddenBias = ScalarBuffer(shape.gateRows)
    }

    func update(from parameters: RecurrentParameterPointers<Scalar>, training: Bool) {
        inputWeight.pointer.update(from: parameters.inputWeight, count: inputWeight.count)
        hiddenWeight.pointer.update(from: parameters.hiddenWeight, count: hiddenWeight.count)
        inputBias.pointer.update(from: parameters.inputBias, count: shape.gateRows)
        hiddenBias.pointer.update(from: parameters.hiddenBias, count: shape.gateRows)
        require(
            (parameters.projectionWeight == nil) == (shape.projection == nil),
            "RecurrentWeights.update: a projection weight belongs to a projected layer, and only there")
        if let projection = parameters.projectionWeight {
            projectionWeight.pointer.update(from: projection, count: projectionWeight.count)
        }
        if shape.cell != .gru {
            Scalar.accumulate(hiddenBias.pointer, into: inputBias.pointer, count: shape.gateRows)
        }
        isReadyForBackward = false
        if training { prepareBackward(from: parameters) }
    }

    func prepareBackward(from _: RecurrentParameterPointers<Scalar>) {
        let target =
            memory
            ?? Transposed(
                inputWeight: ScalarBuffer(inputWeight.count), hiddenWeight: ScalarBuffer(hiddenWeight.count),
                projectionWeight: ScalarBuffer(projectionWeight.count))
        Scalar.transpose(
            rows: shape.gateRows, columns: shape.inputSize, inputWeight.pointer, into: target.inputWeight.pointer)
        Scalar.transpose(
            rows: shape.gateRows, columns: shape.outputSize, hiddenWeight.pointer, into: target.hiddenWeight.pointer)
        if let projection = shape.projection {
            Scalar.transpose(
                rows: projection, columns: shape.hidden, projectionWeight.pointer,
                into: target.projectionWeight.pointer)
        }
        memory = target
        isReadyForBackward = true
    }
}
