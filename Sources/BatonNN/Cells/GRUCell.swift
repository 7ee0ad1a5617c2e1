public import BatonTensor

/// Gates r, z, n down the 3·H rows, A = x_t·Wᵀ + b, Q = h_{t−1}·Uᵀ + q; r, z = σ(A + Q), n = tanh(A_n + r⊙Q_n);
/// h_t = (1−z)⊙n + z⊙h_{t−1}; output h_t.
///
/// With `resetAfter` false the reset is applied before the product, n = tanh(A_n + (r⊙h_{t−1})·U_nᵀ + q_n), the form of
/// the paper; Gluon has the other one only.
///
/// Parameters `i2h_weight` W (3·H, C), `h2h_weight` U (3·H, H), `i2h_bias` b, `h2h_bias` q (3·H); state h (N, H).
/// Source: Cho et al. 2014, arXiv:1406.1078; Gluon `GRUCell` (parity 1.3, 2.3).
public final class GRUCell: PlainCell {
    /// Whether the reset gate acts on the product, as in cuDNN and Gluon, or on the state before it.
    public let resetAfter: Bool

    /// Arguments and defaults are Gluon's; `inputSize` 0 is known from the first step.
    public init(
        hiddenSize: Int, initializers: RecurrentInitializers = RecurrentInitializers(), inputSize: Int = 0,
        resetAfter: Bool = true, dtype: DType = .float32, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        self.resetAfter = resetAfter
        var outline = BlockOutline(prefix: prefix, hint: "gru", params: params)
        let products = GateProducts(
            &outline, rows: 3 * hiddenSize, inputSize: inputSize, stateSize: hiddenSize, initializers, dtype)
        super.init(outline, hiddenSize: hiddenSize, products)
    }

    public override func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        [StateInfo(shape: [batchSize, hiddenSize], dtype: dtype)]
    }

    public override func step(
        _ input: Variable, _ states: [Variable], _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        let previous = states[0]
        let fromInput = products.fromInput(input, context)
        let fromHidden = products.fromHidden(previous, context)
        let hidden = context.gruGates(fromInput, fromHidden, previous: previous) { reset, recurrent in
            if resetAfter { return context.multiply(reset, recurrent) }
            // The whole product again, of which the rows of n are used: the packed weights stay one matrix.
            let kept = context.multiply(reset, previous)
            return context.split(products.fromHidden(kept, context), into: 3)[2]
        }
        return (hidden, [hidden])
    }

    /// `GRUCell(C -> 3·H)`.
    public override var description: String { "GRUCell(\(products.inputSizeText) -> \(3 * hiddenSize))" }
}

extension ForwardContext {
    /// h = (1−z)⊙n + z⊙h₋₁ with r, z = σ(A + Q), n = tanh(A_n + recalled) from the two halves A and Q of the gates' products.
    ///
    /// - Parameter recalled: what the reset gate r leaves of the past, from r and Q_n.
    func gruGates(
        _ fromInput: Variable, _ fromHidden: Variable, previous: Variable,
        recalled: (_ reset: Variable, _ recurrent: Variable) -> Variable
    ) -> Variable {
        let (a, q) = (split(fromInput, into: 3), split(fromHidden, into: 3))
        let reset = sigmoid(add(a[0], q[0]))
        let update = sigmoid(add(a[1], q[1]))
        let candidate = tanh(add(a[2], recalled(reset, q[2])))
        return add(multiply(affine(update, scale: -1, shift: 1), candidate), multiply(update, previous))
    }
}
