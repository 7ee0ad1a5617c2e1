public import BatonTensor

/// Gates i, f, g, o down the 4·H rows: a = x_t·Wᵀ + b + h_{t−1}·Uᵀ + q; i, f, o = σ(a), g = φ(a);
/// c_t = f⊙c_{t−1} + i⊙g, h_t = o⊙φ(c_t); output h_t.
///
/// Parameters `i2h_weight` W (4·H, C), `h2h_weight` U (4·H, H), `i2h_bias` b, `h2h_bias` q (4·H); states h, c (N, H).
/// Source: Hochreiter & Schmidhuber 1997; Gluon `LSTMCell` (parity 1.3, 2.2).
public final class LSTMCell: PlainCell {
    /// φ of the candidate and of the cell state.
    public let activation: ActivationFunction
    /// σ of the gates.
    public let recurrentActivation: ActivationFunction

    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first step.
    public init(
        hiddenSize: Int, initializers: RecurrentInitializers = RecurrentInitializers(), inputSize: Int = 0,
        activation: ActivationFunction = .tanh, recurrentActivation: ActivationFunction = .sigmoid,
        dtype: DType = .float32, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        self.activation = activation
        self.recurrentActivation = recurrentActivation
        var outline = BlockOutline(prefix: prefix, hint: "lstm", params: params)
        let products = GateProducts(
            &outline, rows: 4 * hiddenSize, inputSize: inputSize, stateSize: hiddenSize, initializers, dtype)
        super.init(outline, hiddenSize: hiddenSize, products)
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo](repeating: StateInfo(shape: [batchSize, hiddenSize], dtype: dtype), count: 2)
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let sum = context.add(products.fromInput(input, context), products.fromHidden(states[0], context))
        let (hidden, cell) = LSTMGates(activation, recurrentActivation).step(sum, cell: states[1], context)
        return (hidden, [hidden, cell])
    }

    /// `LSTMCell(C -> 4·H)`.
    public override var description: String { "LSTMCell(\(products.inputSizeText) -> \(4 * hiddenSize))" }
}

/// c = f⊙c₋₁ + i⊙g and o⊙φ(c) from the pre-activations of the four gates.
struct LSTMGates {
    private let activation: ActivationFunction
    private let recurrentActivation: ActivationFunction

    init(_ activation: ActivationFunction, _ recurrentActivation: ActivationFunction) {
        self.activation = activation
        self.recurrentActivation = recurrentActivation
    }

    /// - Parameter squash: what is done to c before φ; nil is nothing.
    func step(
        _ sum: Variable, cell: Variable, _ context: ForwardContext, squash: ((Variable) -> Variable)? = nil
    ) -> (hidden: Variable, cell: Variable) {
        let gates = context.split(sum, into: 4)
        let input = recurrentActivation(gates[0], context)
        let forget = recurrentActivation(gates[1], context)
        let candidate = activation(gates[2], context)
        let output = recurrentActivation(gates[3], context)
        let next = context.add(context.multiply(forget, cell), context.multiply(input, candidate))
        return (context.multiply(output, activation(squash?(next) ?? next, context)), next)
    }
}
