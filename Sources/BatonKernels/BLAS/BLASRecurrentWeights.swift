/// Weights of one layer and direction for OpenBLAS: row-major copies, which forward and backward products read
/// transposed or as they stand.
final class BLASRecurrentWeights<Scalar: BLASScalar>: RecurrentWeights {
    let shape: RecurrentShape
    /// (G·H, I) and (G·H, H)
    let inputWeight: ScalarBuffer<Scalar>
    let hiddenWeight: ScalarBuffer<Scalar>
    /// (G·H) added to the input product: b + q, but b alone for the GRU, whose q stands inside the reset product.
    let inputBias: ScalarBuffer<Scalar>
    /// (3H) GRU only, q.
    let hiddenBias: ScalarBuffer<Scalar>

    init(_ shape: RecurrentShape) {
        precondition(OpenBLASCore.usesOneThread, "OpenBLAS did not accept one thread")
        self.shape = shape
        inputWeight = ScalarBuffer(shape.gateRows * shape.inputSize)
        hiddenWeight = ScalarBuffer(shape.gateRows * shape.hidden)
        inputBias = ScalarBuffer(shape.gateRows)
        hiddenBias = ScalarBuffer(shape.gateRows)
    }

    /// Copies the parameters. `training` changes nothing: the backward products read the same copies.
    func update(from parameters: RecurrentParameterPointers<Scalar>, training: Bool) {
        inputWeight.pointer.update(from: parameters.inputWeight, count: inputWeight.count)
        hiddenWeight.pointer.update(from: parameters.hiddenWeight, count: hiddenWeight.count)
        inputBias.pointer.update(from: parameters.inputBias, count: shape.gateRows)
        hiddenBias.pointer.update(from: parameters.hiddenBias, count: shape.gateRows)
        if shape.cell != .gru {
            Scalar.accumulate(hiddenBias.pointer, into: inputBias.pointer, count: shape.gateRows)
        }
    }
}
