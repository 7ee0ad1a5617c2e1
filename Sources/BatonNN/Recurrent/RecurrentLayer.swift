import BatonChecks
public import BatonKernelABI
public import BatonKernels
public import BatonTensor

/// Initialisers of a recurrent layer; nil takes the one given to `initialize`. Gluon's defaults.
public struct RecurrentInitializers: Sendable {
    /// For i2h_weight.
    public var inputWeight: (any Initializer)?
    /// For h2h_weight.
    public var hiddenWeight: (any Initializer)?
    /// For i2h_bias.
    public var inputBias: (any Initializer)?
    /// For h2h_bias.
    public var hiddenBias: (any Initializer)?
    /// For h2r_weight.
    public var projectionWeight: (any Initializer)?

    /// Gluon's defaults: biases zero, weights by the global initialiser.
    public init(
        inputWeight: (any Initializer)? = nil, hiddenWeight: (any Initializer)? = nil,
        inputBias: (any Initializer)? = ConstantInitializer.zero,
        hiddenBias: (any Initializer)? = ConstantInitializer.zero, projectionWeight: (any Initializer)? = nil
    ) {
        self.projectionWeight = projectionWeight
        self.inputWeight = inputWeight
        self.hiddenWeight = hiddenWeight
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
    }
}

/// A stack of recurrent layers, one or both directions; the base of `RNN`, `LSTM` and `GRU`.
///
/// Y_l = [forward h, reverse h] of layer l on X_l; X_{l+1} = dropout(Y_l), in training only.
///
/// | Value | Shape |
/// |---|---|
/// | input | (T, N, C) or, with layout NTC, (N, T, C) |
/// | output | (T, N, D·R) or (N, T, D·R), with R = P if projected, else H |
/// | states | h (L·D, N, R) and, for LSTM, c (L·D, N, H), whatever the layout; entry l·D + d |
/// | lengths | N whole numbers from 0 to T, with `useSequenceLength` (see `SequenceLengths`) |
///
/// Parameters in creation order, for l in 0 ..< L and d in l, r: `{d}{l}_i2h_weight` (G·H, I_l), `_h2h_weight` (G·H, R),
/// `_i2h_bias`, `_h2h_bias` (G·H) and, if projected, `_h2r_weight` (P, H), with I_0 = C and I_l = D·R. Source: Gluon
/// `rnn_layer.py` (parity 1.1, 1.2, 3.3).
public class RecurrentLayer: HybridBlock {
    /// What every layer computes.
    public let cell: RecurrentKind
    /// H.
    public let hiddenSize: Int
    /// L.
    public let numLayers: Int
    /// Order of the axes of input and output.
    public let layout: SequenceLayout
    /// Probability of zero between layers.
    public let dropout: Double
    /// Whether D is 2.
    public let bidirectional: Bool
    /// P of a projected LSTM.
    public let projectionSize: Int?
    /// Limits of an LSTM's c.
    public let stateClip: StateClip?
    /// Whether every call names the valid lengths of its rows.
    public let useSequenceLength: Bool
    /// One per layer and direction, entry l·D + d.
    public let directions: [RecurrentDirection]

    init(
        cell: RecurrentKind, hiddenSize: Int, numLayers: Int, layout: SequenceLayout, dropout: Double,
        bidirectional: Bool, inputSize: Int, initializers: RecurrentInitializers, projectionSize: Int? = nil,
        stateClip: StateClip? = nil, dtype: DType, useSequenceLength: Bool, prefix: String?, params: ParameterDict?,
        hint: String
    ) {
        require(hiddenSize >= 1, "\(hint): expected hiddenSize ≥ 1, got \(hiddenSize)")
        require(numLayers >= 1, "\(hint): expected numLayers ≥ 1, got \(numLayers)")
        require(dropout >= 0 && dropout < 1, "\(hint): expected dropout in [0, 1), got \(dropout)")
        require(inputSize >= 0, "\(hint): expected inputSize ≥ 0, got \(inputSize)")
        require(
            projectionSize.map { $0 >= 0 } ?? true,
            "\(hint): expected projectionSize ≥ 1, or 0 for none, got \(projectionSize ?? 0)")
        require(
            dtype == .float32 || dtype == .float64, "\(hint): expected float32 or float64, got \(dtype.rawValue)")
        self.cell = cell
        self.hiddenSize = hiddenSize
        self.numLayers = numLayers
        self.layout = layout
        self.dropout = dropout
        self.bidirectional = bidirectional
        let projection = projectionSize == 0 ? nil : projectionSize
        self.projectionSize = projection
        self.stateClip = stateClip
        self.useSequenceLength = useSequenceLength
        var outline = BlockOutline(prefix: prefix, hint: hint, params: params)
        var directions: [RecurrentDirection] = []
        let gateRows = cell.gateCount * hiddenSize
        let outputSize = projection ?? hiddenSize
        for layer in 0..<numLayers {
            let above = bidirectional ? [outputSize, outputSize] : [outputSize]
            let chains = layer > 0 ? above : inputSize > 0 ? [inputSize] : nil
            for isReverse in bidirectional ? [false, true] : [false] {
                let stem = "\(isReverse ? "r" : "l")\(layer)_"
                func make(_ attribute: String, _ shape: [Int], _ initializer: (any Initializer)?) -> Parameter {
                    outline.parameter(stem + attribute, shape: shape, dtype: dtype, initializer: initializer)
                }
                var parameters = [
                    make("i2h_weight", [gateRows, chains?.reduce(0, +) ?? 0], initializers.inputWeight),
                    make("h2h_weight", [gateRows, outputSize], initializers.hiddenWeight),
                    make("i2h_bias", [gateRows], initializers.inputBias),
                    make("h2h_bias", [gateRows], initializers.hiddenBias),
                ]
                if let projection {
                    parameters.append(make("h2r_weight", [projection, hiddenSize], initializers.projectionWeight))
                }
                directions.append(
                    RecurrentDirection(
                        cell: cell, layer: layer, isReverse: isReverse, hiddenSize: hiddenSize,
                        projectionSize: projection, stateClip: stateClip, inputChains: chains,
                        parameters: parameters))
            }
        }
        self.directions = directions
        super.init(outline)
    }

    /// Type of parameters, states, and outputs.
    public var dtype: DType { directions[0].inputWeight.dtype }
    /// D.
    public var directionCount: Int { bidirectional ? 2 : 1 }
    /// Number of state tensors: 2 for LSTM, else 1.
    public var stateCount: Int { cell.hasCellState ? 2 : 1 }

    /// How inference holds the weights (see `WeightPrecision` and `RecurrentDirection.inferencePrecision`).
    public var inferencePrecision: WeightPrecision {
        get { directions[0].inferencePrecision }
        set { for direction in directions { direction.inferencePrecision = newValue } }
    }

    /// Whether training computes the gates again instead of keeping them, which saves memory in long windows and changes
    /// no bits; nil keeps them. Reverse directions keep theirs on the packed kernels (see `Recomputation`).
    ///
    /// - Precondition: the layer does not use sequence lengths; rows of unequal lengths keep their gates.
    public var recomputation: Recomputation? {
        get { directions[0].recomputation }
        set {
            require(
                newValue == nil || !useSequenceLength,
                "\(name): recomputation takes no rows of unequal lengths; make the layer without useSequenceLength")
            for direction in directions { direction.recomputation = newValue }
        }
    }

    /// R, the width of h: P if projected, else H.
    public var outputSize: Int { projectionSize ?? hiddenSize }

    /// Widths of the states: R of h and, for LSTM, H of c.
    public var stateWidths: [Int] { cell.hasCellState ? [outputSize, hiddenSize] : [outputSize] }

    /// What the states are: h, and c for an LSTM; batch size 0 is unknown. Source: Gluon `state_info`.
    public func stateInfo(batchSize: Int = 0) -> [StateInfo] {
        stateWidths.map { width in
            StateInfo(shape: [numLayers * directionCount, batchSize, width], layout: "LNC", dtype: dtype)
        }
    }

    /// Initial states, by default zeros, named `<prefix>h0_<k>`.
    ///
    /// - Parameters:
    ///   - function: makes a state from its name and description.
    ///   - dtype: nil is the layer's.
    public func beginState(
        batchSize: Int, _ function: StateFunction = .zeros, dtype: DType? = nil
    ) -> [Variable] {
        stateInfo(batchSize: batchSize).enumerated().map { index, info in
            var info = info
            if let dtype { info.dtype = dtype }
            return function("\(prefix)h0_\(index)", info)
        }
    }

    /// The output for zero initial states.
    public override func forward(_ input: Variable, _ context: ForwardContext) -> Variable {
        run(input, states: nil, lengths: nil, wantsStates: false, context).output
    }

    /// The output for zero initial states and rows of the given lengths, which `useSequenceLength` asks for.
    public func callAsFunction(_ input: Variable, sequenceLength: [Int], _ context: ForwardContext) -> Variable {
        withHooks(inputs: [input]) {
            run(input, states: nil, lengths: sequenceLength, wantsStates: false, context).output
        } outputs: {
            [$0]
        }
    }

    /// Output and final states for given initial states (h, or h and c), and with `useSequenceLength` for rows of the
    /// given lengths.
    ///
    /// Both directions see gradients of the output and of the final states; gradients of the initial states are
    /// computed for those that require one. Returned states are taken before dropout.
    public func callAsFunction(
        _ input: Variable, states: [Variable], sequenceLength: [Int]? = nil, _ context: ForwardContext
    ) -> (output: Variable, states: [Variable]) {
        withHooks(inputs: [input] + states) {
            run(input, states: states, lengths: sequenceLength, wantsStates: true, context)
        } outputs: {
            [$0.output] + $0.states
        }
    }

    public override func inferShape(_ input: [Int]) throws(NNError) -> [Int] { try inferredShape(input) }

    /// Gluon's compatible names (parity 3.3): `_unfused.{l}.i2h_weight`, `_unfused.{l}.l_cell.i2h_weight`.
    public override func structuralName(of attribute: String) -> String { unfusedName(of: attribute) }

    /// `LSTM(C -> H, TNC, num_layers=2, dropout=0.5, bidirectional)`.
    public override var description: String { layerDescription }
}
