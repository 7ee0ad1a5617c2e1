import BatonChecks
public import BatonKernels
public import BatonTensor

/// A fully connected layer on the last axis: y = φ(x·Wᵀ + b).
///
/// | Value | Shape |
/// |---|---|
/// | input | (T, N, C), with layout NTC (N, T, C), or (N, C) |
/// | `weight` | (units, C) |
/// | `bias` | (units) |
/// | returns | as the input, with units in place of C |
///
/// Source: Gluon `nn.Dense` with `flatten=False` (parity 1.10).
public final class Dense: HybridBlock {
    /// Width of the output.
    public let units: Int
    /// φ; nil is the identity.
    public let activation: Activation?
    /// Order of the axes of a three-dimensional input.
    public let layout: SequenceLayout
    /// W.
    public let weight: Parameter
    /// b; nil without bias.
    public let bias: Parameter?
    private let product = LinearLayerProduct()

    /// - Parameters:
    ///   - units: width of the output, at least 1.
    ///   - inUnits: C; 0 = known from the first forward pass.
    ///   - layout: order of the axes of a three-dimensional input; sums over the batch follow its rows.
    ///   - weight: the weight of another block, (units, C), used instead of a new one (tied weights).
    ///   - params: the parameters of another block, used where their names agree (`BlockOutline`).
    public init(
        units: Int, activation: Activation? = nil, useBias: Bool = true, inUnits: Int = 0,
        layout: SequenceLayout = .TNC, dtype: DType = .float32,
        weightInitializer: (any Initializer)? = nil, biasInitializer: (any Initializer)? = ConstantInitializer(0),
        weight shared: Parameter? = nil, prefix: String? = nil, params: ParameterDict? = nil
    ) {
        require(units > 0, "Dense: expected units > 0, got \(units)")
        self.units = units
        self.activation = activation
        self.layout = layout
        var outline = BlockOutline(prefix: prefix, hint: "dense", params: params)
        if let shared {
            require(
                shared.shape[0] == units && shared.dtype == dtype,
                "Dense: expected a shared weight of \(units) rows of \(dtype.rawValue), got \(shared.name) \(shared.shape) \(shared.dtype.rawValue)"
            )
            weight = outline.share(shared, as: "weight")
        } else {
            weight = outline.parameter(
                "weight", shape: [units, inUnits], dtype: dtype, initializer: weightInitializer)
        }
        bias =
            useBias ? outline.parameter("bias", shape: [units], dtype: dtype, initializer: biasInitializer) : nil
        super.init(outline)
    }

    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        require(
            (2...3).contains(input.shape.count) && input.dtype == weight.dtype,
            "\(name): expected (T,N,C) or (N,C) of \(weight.dtype.rawValue), got \(input.shape) \(input.dtype.rawValue)"
        )
        weight.completeShape([units, input.shape[input.shape.count - 1]])
        let current = product.refreshed(weight: weight, bias: bias, training: context.tape != nil)
        let output = context.linear(input, weight: weight, bias: bias, product: current, layout: layout)
        return activation.map { context.activate(output, $0) } ?? output
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] {
        guard let width = input.last, weight.agrees(with: [units, width]) else {
            throw NNError(
                "Parameter \(weight.name) has the shape \(weight.shape), which does not fit an input \(input); the last axis must be \(weight.shape[1])."
            )
        }
        weight.completeShape([units, width])
        return input.dropLast() + [units]
    }

    /// `Dense(C -> units, activation)`.
    public override var description: String {
        let width = weight.shape[1] > 0 ? String(weight.shape[1]) : "None"
        return "Dense(\(width) -> \(units), \(activation.map { "Activation(\($0.rawValue))" } ?? "linear"))"
    }
}
