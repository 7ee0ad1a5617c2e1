public import BatonKernelABI
public import BatonKernels
public import BatonTensor

/// What a forward pass of one layer and direction reads and writes, as tensors.
public struct RecurrentOperands {
    /// (T, N, I), or as its layout says.
    public var input: Tensor
    /// Order of the axes of the input.
    public var inputLayout: SequenceLayout
    /// (T, N, W) with W ≥ outputColumn + R: h of every step goes to columns outputColumn ..< outputColumn + R.
    public var output: Tensor
    /// Order of the axes of the output.
    public var outputLayout: SequenceLayout
    /// First column of the output that is written.
    public var outputColumn: Int
    /// h before the first step, (N, R); nil is zero.
    public var initialHidden: Tensor?
    /// c before the first step, (N, H); nil is zero. LSTM only.
    public var initialCell: Tensor?
    /// h after the last step, (N, R), written; nil if not wanted.
    public var finalHidden: Tensor?
    /// c after the last step, (N, H), written; nil if not wanted. LSTM only.
    public var finalCell: Tensor?
    /// Valid lengths of the rows; nil is T for all.
    public var lengths: SequenceLengths?
    /// Memory for what a part of the units shares with the others; see `RecurrentForward.shared`.
    public var shared: Tensor?
    /// Which rows of the input are equal, if that is known.
    public var repeatedInput: RepeatedRows?

    /// States default to zero, or not wanted.
    public init(
        input: Tensor, inputLayout: SequenceLayout = .TNC, output: Tensor, outputLayout: SequenceLayout = .TNC,
        outputColumn: Int = 0, initialHidden: Tensor? = nil, initialCell: Tensor? = nil, finalHidden: Tensor? = nil,
        finalCell: Tensor? = nil, lengths: SequenceLengths? = nil, shared: Tensor? = nil,
        repeatedInput: RepeatedRows? = nil
    ) {
        self.repeatedInput = repeatedInput
        self.inputLayout = inputLayout
        self.outputLayout = outputLayout
        self.shared = shared
        self.input = input
        self.output = output
        self.outputColumn = outputColumn
        self.initialHidden = initialHidden
        self.initialCell = initialCell
        self.finalHidden = finalHidden
        self.finalCell = finalCell
        self.lengths = lengths
    }
}

/// What the data half of the backward pass reads and writes; shapes as in `RecurrentOperands`.
public struct RecurrentGradientOperands {
    /// Gradient of `output` (same columns); nil is zero.
    public var output: Tensor?
    /// Gradient of the final h; nil is zero.
    public var finalHidden: Tensor?
    /// Gradient of the final c; nil is zero.
    public var finalCell: Tensor?
    /// Gradient of `input`, written, or added to if `addsToInput`; nil if not wanted.
    public var input: Tensor?
    /// Whether the input's gradient is added to what is there.
    public var addsToInput: Bool
    /// Gradient of the initial h, written; nil if not wanted.
    public var initialHidden: Tensor?
    /// Gradient of the initial c, written; nil if not wanted.
    public var initialCell: Tensor?

    /// Gradients default to zero, or not wanted.
    public init(
        output: Tensor? = nil, finalHidden: Tensor? = nil, finalCell: Tensor? = nil, input: Tensor? = nil,
        addsToInput: Bool = false, initialHidden: Tensor? = nil, initialCell: Tensor? = nil
    ) {
        self.output = output
        self.finalHidden = finalHidden
        self.finalCell = finalCell
        self.input = input
        self.addsToInput = addsToInput
        self.initialHidden = initialHidden
        self.initialCell = initialCell
    }
}

/// One window of T steps and N rows through one layer and direction: the three passes, whole or in chunks.
///
/// Steps are numbered in processing order (a reverse direction handles time T−1−s in step s). `forward` takes
/// adjoining ascending ranges, `backwardData` descending ones; bits do not depend on the cuts. The pass owns a
/// workspace until it is released. The parameters must not change between its forward and its backward passes.
public protocol RecurrentPass: AnyObject {
    /// Runs steps.
    func forward(steps: Range<Int>, hook: StepHook)
    /// Brings the weights into the form that the backward passes read. `backwardData` does it if it was not done; earlier is
    /// for callers that have nothing else to do.
    func prepareBackward()
    /// Gradients of input and initial states for some steps.
    func backwardData(steps: Range<Int>, _ gradients: RecurrentGradientOperands, hook: StepHook)
    /// Adds the gradients of the parameters over the whole window to the parameters' own, one per subtree of the
    /// leaf plan.
    func backwardWeights(hook: StepHook)
}
