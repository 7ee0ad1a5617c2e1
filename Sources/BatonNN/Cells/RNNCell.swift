public import BatonTensor

/// h_t = φ(x_t·Wᵀ + b + h_{t−1}·Uᵀ + q); output h_t. Parameters `i2h_weight` W (H, C), `h2h_weight` U (H, H),
/// `i2h_bias` b, `h2h_bias` q (H); state h (N, H). Source: Elman 1990; Gluon `RNNCell` (parity 1.3, 2.1).
public final class RNNCell: PlainCell {
    /// φ.
    public let activation: ActivationFunction

    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first step.
    public init(
        hiddenSize: Int, activation: ActivationFunction = .tanh,
        initializers: RecurrentInitializers = RecurrentInitializers(), inputSize: Int = 0, dtype: DType = .float32,
        prefix: String? = nil, params: ParameterDict? = nil
    ) {
        self.activation = activation
        var outline = BlockOutline(prefix: prefix, hint: "rnn", params: params)
        let products = GateProducts(
            &outline, rows: hiddenSize, inputSize: inputSize, stateSize: hiddenSize, initializers, dtype)
        super.init(outline, hiddenSize: hiddenSize, products)
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo(shape: [batchSize, hiddenSize], dtype: dtype)]
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let sum = context.add(products.fromInput(input, context), products.fromHidden(states[0], context))
        let hidden = activation(sum, context)
        return (hidden, [hidden])
    }

    /// `RNNCell(C -> H, tanh)`.
    public override var description: String {
        "RNNCell(\(products.inputSizeText) -> \(hiddenSize), \(activation.name))"
    }
}
