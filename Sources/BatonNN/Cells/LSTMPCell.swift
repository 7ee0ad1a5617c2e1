import BatonChecks
public import BatonTensor

/// An LSTM whose output is projected: gates as in `LSTMCell` with r_{t−1} in place of h_{t−1}, m_t = o⊙tanh(c_t),
/// r_t = m_t·Vᵀ; output r_t.
///
/// Parameters, in this order, `i2h_weight` (4·H, C), `h2h_weight` (4·H, P), `h2r_weight` V (P, H), `i2h_bias`,
/// `h2h_bias` (4·H); states r (N, P) and c (N, H). Source: Sak et al. 2014; Gluon contrib `LSTMPCell` (parity 1.3, 2.4).
public final class LSTMPCell: PlainCell {
    /// P.
    public let projectionSize: Int
    /// V (P, H).
    public let h2rWeight: Parameter
    private let projection = LinearLayerProduct()

    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first step, and P ≥ 1.
    public init(
        hiddenSize: Int, projectionSize: Int, initializers: RecurrentInitializers = RecurrentInitializers(),
        projectionInitializer: (any Initializer)? = nil, inputSize: Int = 0, dtype: DType = .float32,
        prefix: String? = nil, params: ParameterDict? = nil
    ) {
        require(projectionSize >= 1, "LSTMPCell: expected projectionSize ≥ 1, got \(projectionSize)")
        self.projectionSize = projectionSize
        var outline = BlockOutline(prefix: prefix, hint: "lstmp", params: params)
        let rows = 4 * hiddenSize
        let weights = GateProducts.weights(
            &outline, rows: rows, inputSize: inputSize, stateSize: projectionSize, initializers, dtype)
        h2rWeight = outline.parameter(
            "h2r_weight", shape: [projectionSize, hiddenSize], dtype: dtype, initializer: projectionInitializer)
        let products = GateProducts(weights, &outline, rows: rows, initializers, dtype)
        super.init(outline, hiddenSize: hiddenSize, products)
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [projectionSize, hiddenSize].map { StateInfo(shape: [batchSize, $0], dtype: dtype) }
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let sum = context.add(products.fromInput(input, context), products.fromHidden(states[0], context))
        let (hidden, cell) = LSTMGates(.tanh, .sigmoid).step(sum, cell: states[1], context)
        let product = projection.refreshed(weight: h2rWeight, bias: nil, training: context.tape != nil)
        let output = context.linear(hidden, weight: h2rWeight, bias: nil, product: product)
        return (output, [output, cell])
    }

    /// `LSTMPCell(C -> 4·H -> P)`.
    public override var description: String {
        "LSTMPCell(\(products.inputSizeText) -> \(4 * hiddenSize) -> \(projectionSize))"
    }
}
