import BatonChecks
public import BatonTensor

/// A cell with the parameters of one recurrent layer; the base of `RNNCell`, `LSTMCell`, `GRUCell` and `LSTMPCell`.
public class PlainCell: RecurrentCell {
    /// H.
    public let hiddenSize: Int
    let products: GateProducts
    private var fused: FusedUnrolling?

    init(_ outline: BlockOutline, hiddenSize: Int, _ products: GateProducts) {
        require(hiddenSize >= 1, "\(outline.prefix): expected hiddenSize ≥ 1, got \(hiddenSize)")
        self.hiddenSize = hiddenSize
        self.products = products
        super.init(outline)
    }

    /// W (G·H, C).
    public final var i2hWeight: Parameter { products.inputWeight }
    /// U (G·H, R).
    public final var h2hWeight: Parameter { products.hiddenWeight }
    /// b (G·H).
    public final var i2hBias: Parameter { products.inputBias }
    /// q (G·H).
    public final var h2hBias: Parameter { products.hiddenBias }

    /// Type of parameters and default states.
    public final override var dtype: DType { i2hWeight.dtype }

    /// Completes C, or says that it does not fit.
    public final override func checkInput(_ input: Variable) throws(NNError) {
        try products.complete(input.shape, input.dtype, name)
    }

    /// (N, C) → the shape of the output, that of the first state.
    public final override func inferShape(_ input: [Int]) throws(NNError) -> [Int] {
        try products.complete(input, nil, name)
        return stateInfo(batchSize: input[0])[0].shape
    }

    /// Hybridised, on the fused kernels of a layer wherever one computes the same.
    public final override func unrolled(
        _ request: UnrollRequest, _ context: ForwardContext
    ) -> (outputs: CellSequence, states: [Variable]) {
        if isHybridized {
            completeInput(request.inputs)
            fused = fused ?? FusedUnrolling([self])
            if let result = fused?.unroll(request, context) { return result }
        }
        return unrolledStepByStep(request, context)
    }

    /// Completes C before a layer is made of the cell.
    final func completeInput(_ inputs: CellSequence) {
        trapping { () throws(NNError) in try products.complete(inputs.stepShape, inputs.dtype, name) }
    }
}
