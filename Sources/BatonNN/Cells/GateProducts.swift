import BatonChecks
import BatonTensor

/// The two products of a plain cell, x·Wᵀ + b and h·Uᵀ + q, with their parameters.
///
/// | Parameter | Shape |
/// |---|---|
/// | i2h_weight W | (G·H, C) |
/// | h2h_weight U | (G·H, R), R the width of the recurrent state |
/// | i2h_bias b, h2h_bias q | (G·H) |
final class GateProducts {
    let inputWeight: Parameter
    let hiddenWeight: Parameter
    let inputBias: Parameter
    let hiddenBias: Parameter
    private let input = LinearLayerProduct()
    private let hidden = LinearLayerProduct()

    convenience init(
        _ outline: inout BlockOutline, rows: Int, inputSize: Int, stateSize: Int,
        _ initializers: RecurrentInitializers, _ dtype: DType
    ) {
        let weights = Self.weights(
            &outline, rows: rows, inputSize: inputSize, stateSize: stateSize, initializers, dtype)
        self.init(weights, &outline, rows: rows, initializers, dtype)
    }

    /// W and U. Apart from the biases, because a projected cell has its third weight before them.
    static func weights(
        _ outline: inout BlockOutline, rows: Int, inputSize: Int, stateSize: Int,
        _ initializers: RecurrentInitializers, _ dtype: DType
    ) -> (input: Parameter, hidden: Parameter) {
        require(inputSize >= 0, "\(outline.prefix): expected inputSize ≥ 0, got \(inputSize)")
        let input = outline.parameter(
            "i2h_weight", shape: [rows, inputSize], dtype: dtype, initializer: initializers.inputWeight)
        let hidden = outline.parameter(
            "h2h_weight", shape: [rows, stateSize], dtype: dtype, initializer: initializers.hiddenWeight)
        return (input, hidden)
    }

    init(
        _ weights: (input: Parameter, hidden: Parameter), _ outline: inout BlockOutline, rows: Int,
        _ initializers: RecurrentInitializers, _ dtype: DType
    ) {
        (inputWeight, hiddenWeight) = weights
        inputBias = outline.parameter(
            "i2h_bias", shape: [rows], dtype: dtype, initializer: initializers.inputBias)
        hiddenBias = outline.parameter(
            "h2h_bias", shape: [rows], dtype: dtype, initializer: initializers.hiddenBias)
    }

    /// C, or nil while it is unknown.
    var inputSize: Int? { inputWeight.shape[1] > 0 ? inputWeight.shape[1] : nil }
    /// C as Gluon prints it.
    var inputSizeText: String { inputSize.map(String.init) ?? "None" }

    /// Checks an input against W and completes its width.
    func complete(_ shape: [Int], _ dtype: DType?, _ cell: String) throws(NNError) {
        let width = shape.last ?? 0
        guard shape.count == 2, inputWeight.agrees(with: [inputWeight.shape[0], width]) else {
            throw NNError(
                "\(cell): parameter \(inputWeight.name) has the shape \(inputWeight.shape), which does not fit an input \(shape); expected (N,\(inputSize.map(String.init) ?? "C"))."
            )
        }
        if let dtype, dtype != inputWeight.dtype {
            throw NNError(
                "\(cell): the input is \(dtype.rawValue), the parameters such as \(inputWeight.name) are \(inputWeight.dtype.rawValue); cast one of them."
            )
        }
        inputWeight.completeShape([inputWeight.shape[0], width])
    }

    /// x·Wᵀ + b, or without b.
    func fromInput(_ x: Variable, withBias: Bool = true, _ context: ForwardContext) -> Variable {
        let bias = withBias ? inputBias : nil
        let product = input.refreshed(weight: inputWeight, bias: bias, training: context.tape != nil)
        return context.linear(x, weight: inputWeight, bias: bias, product: product)
    }

    /// h·Uᵀ + q, or without q.
    func fromHidden(_ h: Variable, withBias: Bool = true, _ context: ForwardContext) -> Variable {
        let bias = withBias ? hiddenBias : nil
        let product = hidden.refreshed(weight: hiddenWeight, bias: bias, training: context.tape != nil)
        return context.linear(h, weight: hiddenWeight, bias: bias, product: product)
    }
}
