import BatonChecks
public import BatonKernelABI

/// Sizes of one layer and direction of a recurrent stack.
public struct RecurrentShape: Sendable, Hashable {
    /// The recurrence.
    public var cell: RecurrentKind
    /// Widths of the input's chains: `[C]`, or `[R, R]` above a bidirectional layer, whose reverse half is a
    /// chain of its own.
    public var inputChains: [Int]
    /// H.
    public var hidden: Int
    /// P, LSTM only: the output and the recurrent state are o⊙tanh c times Vᵀ. nil is no projection.
    public var projection: Int?
    /// Limits of c, LSTM only.
    public var stateClip: StateClip?
    /// How W and U are held. Other than float32: inference on the packed kernels only.
    public var precision: WeightPrecision
    /// The hidden units, and of a projected layer the units of the projection, that this process computes. A part needs
    /// the packed kernels.
    public var shard: UnitShard

    /// All values at once.
    ///
    /// - Precondition: widths above 0; a projection or a state clip only for an LSTM.
    public init(
        cell: RecurrentKind, inputChains: [Int], hidden: Int, projection: Int? = nil, stateClip: StateClip? = nil,
        precision: WeightPrecision = .float32, shard: UnitShard = .whole
    ) {
        require(
            cell == .lstm || projection == nil && stateClip == nil,
            "RecurrentShape: only an LSTM has a projection or a state clip, not \(cell.rawValue)")
        require(
            (1...2).contains(inputChains.count),
            "RecurrentShape: expected one or two input chains, got \(inputChains)")
        require(
            hidden > 0 && (inputChains + [projection ?? hidden]).allSatisfy { $0 > 0 },
            "RecurrentShape: expected positive widths, got inputs \(inputChains), H = \(hidden), P = \(projection.map(String.init) ?? "none")"
        )
        self.cell = cell
        self.inputChains = inputChains
        self.hidden = hidden
        self.projection = projection
        self.stateClip = stateClip
        self.precision = precision
        self.shard = shard
    }

    /// I, the sum of the chains.
    public var inputSize: Int { inputChains.reduce(0, +) }
    /// Rows of the stacked weights, G·H.
    public var gateRows: Int { cell.gateCount * hidden }
    /// R, the width of the output and of the recurrent state: P if projected, else H.
    public var outputSize: Int { projection ?? hidden }
}
