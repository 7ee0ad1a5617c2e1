public import BatonTensor

/// An LSTM cell with layer normalisation of both products and of the cell state:
/// a = LN(x_t·Wᵀ; γ₁, b) + LN(h_{t−1}·Uᵀ; γ₂, q), over the 4·H rows; i, f, o = σ(a), g = tanh(a);
/// c_t = f⊙c_{t−1} + i⊙g, h_t = o⊙tanh(LN(c_t; γ₃, β)); output h_t.
///
/// Parameters of `LSTMCell`, whose biases shift the normalised products, and `i2h_gain` γ₁, `h2h_gain` γ₂ (4·H),
/// `cell_gain` γ₃, `cell_bias` β (H); states h, c (N, H). Not in Gluon. Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450,
/// equations 20–22.
public final class LayerNormLSTMCell: PlainCell {
    private let normalization: ProductNormalization
    /// γ₃.
    public let cellGain: Parameter
    /// β.
    public let cellBias: Parameter

    /// `inputSize` 0 is known from the first step.
    public init(
        hiddenSize: Int, initializers: RecurrentInitializers = RecurrentInitializers(), inputSize: Int = 0,
        epsilon: Double = 1e-5, dtype: DType = .float32, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        var outline = BlockOutline(prefix: prefix, hint: "layernormlstm", params: params)
        let products = GateProducts(
            &outline, rows: 4 * hiddenSize, inputSize: inputSize, stateSize: hiddenSize, initializers, dtype)
        normalization = ProductNormalization(&outline, products, rows: 4 * hiddenSize, epsilon, dtype)
        cellGain = outline.parameter(
            "cell_gain", shape: [hiddenSize], dtype: dtype, initializer: ConstantInitializer.one)
        cellBias = outline.parameter(
            "cell_bias", shape: [hiddenSize], dtype: dtype, initializer: ConstantInitializer.zero)
        super.init(outline, hiddenSize: hiddenSize, products)
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo](repeating: StateInfo(shape: [batchSize, hiddenSize], dtype: dtype), count: 2)
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let sum = context.add(
            normalization.fromInput(input, context), normalization.fromHidden(states[0], context))
        let (hidden, cell) = LSTMGates(.tanh, .sigmoid).step(sum, cell: states[1], context) {
            context.layerNorm($0, gain: self.cellGain, bias: self.cellBias, epsilon: self.normalization.epsilon)
        }
        return (hidden, [hidden, cell])
    }

    /// `LayerNormLSTMCell(C -> 4·H)`.
    public override var description: String { "LayerNormLSTMCell(\(products.inputSizeText) -> \(4 * hiddenSize))" }
}

/// A GRU cell with layer normalisation of both products: A = LN(x_t·Wᵀ; γ₁, b), Q = LN(h_{t−1}·Uᵀ; γ₂, q), over the 3·H
/// rows, then as in `GRUCell`.
///
/// Parameters of `GRUCell`, whose biases shift the normalised products, and `i2h_gain` γ₁, `h2h_gain` γ₂ (3·H); state h
/// (N, H). Not in Gluon. Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450, with the reset after the product.
public final class LayerNormGRUCell: PlainCell {
    private let normalization: ProductNormalization

    /// `inputSize` 0 is known from the first step.
    public init(
        hiddenSize: Int, initializers: RecurrentInitializers = RecurrentInitializers(), inputSize: Int = 0,
        epsilon: Double = 1e-5, dtype: DType = .float32, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        var outline = BlockOutline(prefix: prefix, hint: "layernormgru", params: params)
        let products = GateProducts(
            &outline, rows: 3 * hiddenSize, inputSize: inputSize, stateSize: hiddenSize, initializers, dtype)
        normalization = ProductNormalization(&outline, products, rows: 3 * hiddenSize, epsilon, dtype)
        super.init(outline, hiddenSize: hiddenSize, products)
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo(shape: [batchSize, hiddenSize], dtype: dtype)]
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let fromInput = normalization.fromInput(input, context)
        let fromHidden = normalization.fromHidden(states[0], context)
        let hidden = context.gruGates(fromInput, fromHidden, previous: states[0]) { reset, recurrent in
            context.multiply(reset, recurrent)
        }
        return (hidden, [hidden])
    }

    /// `LayerNormGRUCell(C -> 3·H)`.
    public override var description: String { "LayerNormGRUCell(\(products.inputSizeText) -> \(3 * hiddenSize))" }
}

/// The products of a cell, each normalised over its rows; the product's bias becomes the shift.
private struct ProductNormalization {
    let epsilon: Double
    private let products: GateProducts
    private let inputGain: Parameter
    private let hiddenGain: Parameter

    init(_ outline: inout BlockOutline, _ products: GateProducts, rows: Int, _ epsilon: Double, _ dtype: DType) {
        self.products = products
        self.epsilon = epsilon
        inputGain = outline.parameter("i2h_gain", shape: [rows], dtype: dtype, initializer: ConstantInitializer.one)
        hiddenGain = outline.parameter("h2h_gain", shape: [rows], dtype: dtype, initializer: ConstantInitializer.one)
    }

    func fromInput(_ x: Variable, _ context: ForwardContext) -> Variable {
        context.layerNorm(
            products.fromInput(x, withBias: false, context), gain: inputGain, bias: products.inputBias,
            epsilon: epsilon)
    }

    func fromHidden(_ h: Variable, _ context: ForwardContext) -> Variable {
        context.layerNorm(
            products.fromHidden(h, withBias: false, context), gain: hiddenGain, bias: products.hiddenBias,
            epsilon: epsilon)
    }
}
