import BatonChecks
public import BatonTensor

/// A table of vectors looked up by number.
///
/// | Value | Shape |
/// |---|---|
/// | input | (T, N), with layout NTC (N, T), or (N); whole numbers of any type, 0 ≤ id < V |
/// | `weight` | (V, E) |
/// | returns | as the input, with an axis E at the end |
///
/// Source: Gluon `nn.Embedding` (parity 1.10), except that an id outside the table is an error instead of clipped.
public final class Embedding: HybridBlock {
    /// The table.
    public let weight: Parameter
    /// Order of the axes of two-dimensional ids.
    public let layout: SequenceLayout

    /// - Parameters:
    ///   - inputDim: V, at least 1.
    ///   - outputDim: E, at least 1.
    ///   - layout: order of the axes of two-dimensional ids; sums over the batch follow its rows.
    public init(
        inputDim: Int, outputDim: Int, layout: SequenceLayout = .TNC, dtype: DType = .float32,
        weightInitializer: (any Initializer)? = nil, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        require(
            inputDim > 0 && outputDim > 0, "Embedding: expected positive dimensions, got \(inputDim) × \(outputDim)")
        self.layout = layout
        var outline = BlockOutline(prefix: prefix, hint: "embedding", params: params)
        weight = outline.parameter(
            "weight", shape: [inputDim, outputDim], dtype: dtype, initializer: weightInitializer)
        super.init(outline)
    }

    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        context.embedding(input.value, weight: weight, layout: layout)
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] { input + [weight.shape[1]] }

    /// `Embedding(V -> E, dtype)`.
    public override var description: String {
        "Embedding(\(weight.shape[0]) -> \(weight.shape[1]), \(weight.dtype.rawValue))"
    }
}
