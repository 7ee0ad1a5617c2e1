public import BatonTensor

/// A table of vectors looked up by number.
///
/// | Value | Shape |
/// |---|---|
/// | input | (T, N) or (N), int32 or int64, 0 ≤ id < V |
/// | `weight` | (V, E) |
/// | returns | (T, N, E) or (N, E) |
///
/// Source: Gluon `nn.Embedding` (parity 1.10), except that an id outside the table is an error instead of clipped.
public final class Embedding: Block {
    public let weight: Parameter

    /// - Parameters:
    ///   - inputDim: V.
    ///   - outputDim: E.
    public init(
        inputDim: Int, outputDim: Int, dtype: DType = .float32, weightInitializer: (any Initializer)? = nil,
        prefix: String? = nil
    ) {
        precondition(
            inputDim > 0 && outputDim > 0, "Embedding: expected positive dimensions, got \(inputDim) × \(outputDim)")
        var outline = BlockOutline(prefix: prefix, hint: "embedding")
        weight = outline.parameter(
            "weight", shape: [inputDim, outputDim], dtype: dtype, initializer: weightInitializer)
        super.init(outline)
    }

    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        context.embedding(input.value, weight: weight)
    }
}
