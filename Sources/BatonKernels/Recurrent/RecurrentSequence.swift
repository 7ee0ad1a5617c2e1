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

/// Row-major parameters of one layer and direction, read when the weights are packed.
public struct RecurrentParameterPointers<Scalar> {
    /// (G·H, I)
    public var inputWeight: UnsafePointer<Scalar>
    /// (G·H, R)
    public var hiddenWeight: UnsafePointer<Scalar>
    /// (G·H)
    public var inputBias: UnsafePointer<Scalar>
    /// (G·H)
    public var hiddenBias: UnsafePointer<Scalar>
    /// (P, H), if projected.
    public var projectionWeight: UnsafePointer<Scalar>?

    /// All values at once.
    public init(
        inputWeight: UnsafePointer<Scalar>, hiddenWeight: UnsafePointer<Scalar>,
        inputBias: UnsafePointer<Scalar>, hiddenBias: UnsafePointer<Scalar>,
        projectionWeight: UnsafePointer<Scalar>? = nil
    ) {
        self.inputWeight = inputWeight
        self.hiddenWeight = hiddenWeight
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
        self.projectionWeight = projectionWeight
    }
}

/// Gradients of the parameters of one layer and direction, same shapes as the parameters. Every kernel adds
/// to what is there.
public struct RecurrentGradientPointers<Scalar> {
    /// (G·H, I)
    public var inputWeight: UnsafeMutablePointer<Scalar>
    /// (G·H, R)
    public var hiddenWeight: UnsafeMutablePointer<Scalar>
    /// (G·H)
    public var inputBias: UnsafeMutablePointer<Scalar>
    /// (G·H)
    public var hiddenBias: UnsafeMutablePointer<Scalar>
    /// (P, H), if projected.
    public var projectionWeight: UnsafeMutablePointer<Scalar>?

    /// All values at once.
    public init(
        inputWeight: UnsafeMutablePointer<Scalar>, hiddenWeight: UnsafeMutablePointer<Scalar>,
        inputBias: UnsafeMutablePointer<Scalar>, hiddenBias: UnsafeMutablePointer<Scalar>,
        projectionWeight: UnsafeMutablePointer<Scalar>? = nil
    ) {
        self.inputWeight = inputWeight
        self.hiddenWeight = hiddenWeight
        self.inputBias = inputBias
        self.hiddenBias = hiddenBias
        self.projectionWeight = projectionWeight
    }
}

/// What a forward pass reads and writes. The gradients of `input` and `output` lie as these do.
public struct RecurrentForward<Scalar> {
    /// Input rows, I columns.
    public var input: UnsafePointer<Scalar>
    /// Where the rows of the input are.
    public var inputStrides: SequenceStrides
    /// h before the first step, (N, R) contiguous; nil is zero.
    public var initialHidden: UnsafePointer<Scalar>?
    /// c before the first step, (N, H) contiguous; nil is zero. LSTM only.
    public var initialCell: UnsafePointer<Scalar>?
    /// h of every step, R columns.
    public var output: UnsafeMutablePointer<Scalar>
    /// Where the rows of the output are.
    public var outputStrides: SequenceStrides
    /// h after the last step, (N, R) contiguous; nil if not wanted.
    public var finalHidden: UnsafeMutablePointer<Scalar>?
    /// c after the last step, (N, H) contiguous; nil if not wanted. LSTM only.
    public var finalCell: UnsafeMutablePointer<Scalar>?
    /// Valid lengths of the N rows; nil is T for all. The same in all passes of a window.
    public var lengths: SequenceLengths?
    /// Where a part of the units keeps what the others read besides h, `RecurrentShape.sharedCount(rows:training:)`
    /// elements: memory that the processes of all parts see. So is `output` of any pass of a part.
    public var shared: UnsafeMutablePointer<Scalar>?

    /// All values at once.
    public init(
        input: UnsafePointer<Scalar>, inputStrides: SequenceStrides,
        initialHidden: UnsafePointer<Scalar>? = nil, initialCell: UnsafePointer<Scalar>? = nil,
        output: UnsafeMutablePointer<Scalar>, outputStrides: SequenceStrides,
        finalHidden: UnsafeMutablePointer<Scalar>? = nil, finalCell: UnsafeMutablePointer<Scalar>? = nil,
        lengths: SequenceLengths? = nil, shared: UnsafeMutablePointer<Scalar>? = nil
    ) {
        self.shared = shared
        self.input = input
        self.inputStrides = inputStrides
        self.initialHidden = initialHidden
        self.initialCell = initialCell
        self.output = output
        self.outputStrides = outputStrides
        self.finalHidden = finalHidden
        self.finalCell = finalCell
        self.lengths = lengths
    }

    /// The lengths, if some row does not take part at some time.
    ///
    /// - Precondition: they are lengths of this window.
    func partialLengths(steps: Int, batch: Int) -> SequenceLengths? {
        guard let lengths else { return nil }
        require(
            lengths.steps == steps && lengths.rowCount == batch,
            "RecurrentForward: \(lengths.rowCount) lengths of \(lengths.steps) steps for \(batch) rows of \(steps)")
        return lengths.isFull ? nil : lengths
    }
}

/// What the data half of a backward pass reads and writes (shapes as in `RecurrentForward`).
public struct RecurrentBackwardData<Scalar> {
    /// Gradient of `output`; nil is zero.
    public var outputGradient: UnsafePointer<Scalar>?
    /// Gradient of the final h, (N, R); nil is zero.
    public var finalHiddenGradient: UnsafePointer<Scalar>?
    /// Gradient of the final c, (N, H); nil is zero. LSTM only.
    public var finalCellGradient: UnsafePointer<Scalar>?
    /// Gradient of `input`, written or (`addsToInputGradient`) added to; nil if not wanted.
    public var inputGradient: UnsafeMutablePointer<Scalar>?
    /// Whether `inputGradient` is added to instead of overwritten.
    public var addsToInputGradient: Bool
    /// Gradient of the initial h, (N, R), written; nil if not wanted.
    public var initialHiddenGradient: UnsafeMutablePointer<Scalar>?
    /// Gradient of the initial c, (N, H), written; nil if not wanted. LSTM only.
    public var initialCellGradient: UnsafeMutablePointer<Scalar>?

    /// All values at once.
    public init(
        outputGradient: UnsafePointer<Scalar>?,
        finalHiddenGradient: UnsafePointer<Scalar>? = nil, finalCellGradient: UnsafePointer<Scalar>? = nil,
        inputGradient: UnsafeMutablePointer<Scalar>? = nil, addsToInputGradient: Bool = false,
        initialHiddenGradient: UnsafeMutablePointer<Scalar>? = nil,
        initialCellGradient: UnsafeMutablePointer<Scalar>? = nil
    ) {
        self.outputGradient = outputGradient
        self.finalHiddenGradient = finalHiddenGradient
        self.finalCellGradient = finalCellGradient
        self.inputGradient = inputGradient
        self.addsToInputGradient = addsToInputGradient
        self.initialHiddenGradient = initialHiddenGradient
        self.initialCellGradient = initialCellGradient
    }
}

/// Weights of one layer and direction in the form a backend computes with.
///
/// Built once and refreshed by `update` after every change of the parameters, never per step.
public protocol RecurrentWeights<Scalar>: AnyObject {
    associatedtype Scalar
    var shape: RecurrentShape { get }
    /// Reads the parameters for forward passes. `training` also calls `prepareBackward`.
    func update(from parameters: RecurrentParameterPointers<Scalar>, training: Bool)
    /// Reads the parameters of the last update once more, for `backwardData`: at the latest before it.
    func prepareBackward(from parameters: RecurrentParameterPointers<Scalar>)
}

/// One layer and direction over a window of T steps and N rows: the three passes of a recurrent layer on an
/// explicit workspace that the object owns and reuses.
///
/// Steps are numbered in processing order; a reverse sequence handles time T−1−s in step s. `forward` must be
/// called with ascending, `backwardData` with descending, adjoining ranges of steps, so that a schedule may cut
/// the window into chunks; bits do not depend on the cuts. `backwardData` needs a forward pass with
/// `training: true`, `backwardWeights` a complete `backwardData`.
///
/// A sequence of a part of the units (`RecurrentShape.shard`) reads what all parts made in the step before, so its hook
/// has to return only when the other parts have come as far; of a projected layer it is called in the middle of a step too.
/// It writes its own columns of `output` (by R), of the final c (by H), of the gradients of initial states (by R and H) and
/// of the input's gradient (by I), and its own rows of the weights' gradients; states that are given and the final h are
/// whole.
public protocol RecurrentSequence<Scalar>: AnyObject {
    associatedtype Scalar
    /// Runs the steps. `training` keeps what the backward passes need.
    func forward(steps: Range<Int>, _ arguments: RecurrentForward<Scalar>, training: Bool, hook: StepHook)
    /// Gradients of input and states for the steps, given the same forward arguments.
    func backwardData(
        steps: Range<Int>, _ arguments: RecurrentBackwardData<Scalar>, forward: RecurrentForward<Scalar>,
        hook: StepHook)
    /// Gradients of the parameters over the whole window, added to one set of destinations per subtree of the plan.
    func backwardWeights(
        _ gradients: [RecurrentGradientPointers<Scalar>], leaves: LeafPlan, forward: RecurrentForward<Scalar>,
        hook: StepHook)
}
