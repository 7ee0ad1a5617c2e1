import BatonChecks

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
    /// Where a part of the units keeps what the others read besides h, `RecurrentShape.sharedCount`
    /// elements: memory that the processes of all parts see. So is `output` of any pass of a part.
    public var shared: UnsafeMutablePointer<Scalar>?
    /// The input again, if many of its rows are equal; the same in all steps of a window. The packed kernels save work by
    /// it, unless lengths are given; others read the input.
    public var distinctInput: DistinctRows<Scalar>?

    /// All values at once.
    public init(
        input: UnsafePointer<Scalar>, inputStrides: SequenceStrides,
        initialHidden: UnsafePointer<Scalar>? = nil, initialCell: UnsafePointer<Scalar>? = nil,
        output: UnsafeMutablePointer<Scalar>, outputStrides: SequenceStrides,
        finalHidden: UnsafeMutablePointer<Scalar>? = nil, finalCell: UnsafeMutablePointer<Scalar>? = nil,
        lengths: SequenceLengths? = nil, shared: UnsafeMutablePointer<Scalar>? = nil,
        distinctInput: DistinctRows<Scalar>? = nil
    ) {
        self.shared = shared
        self.distinctInput = distinctInput
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
