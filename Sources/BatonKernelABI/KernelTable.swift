/// The kernels of one instruction set. One table is chosen once per process.
public struct KernelTable: Sendable {
    /// Lanes of a vector: 16 (AVX-512), 8 (AVX2), 4 (baseline).
    public var laneCount: Int
    /// Rows whose accumulators wait in memory between two pieces of their chains.
    @_transparent public static var groupRows: Int { 96 }
    /// Floats that a product or a step wants for the accumulators of these rows.
    public var scratchCount: Int { Self.groupRows * PackedPanels.stripLimit * laneCount }
    /// C = start + A·B.
    public var matrixProduct: @Sendable (MatrixProductArguments) -> Void
    /// Part of a weight gradient.
    public var outerProduct: @Sendable (OuterProductArguments) -> Void
    /// Part of a bias gradient.
    public var columnSum: @Sendable (ColumnSumArguments) -> Void
    /// Rows copied into packed strips.
    public var packRows: @Sendable (RowPackArguments) -> Void
    /// Rows transposed into a packed strip.
    public var transposeRows: @Sendable (StripTransposeArguments) -> Void
    /// Rows of floats as rows of integers, for panels of `int8`.
    public var quantizeRows: @Sendable (RowConversionArguments) -> Void
    /// The same four to a word, for panels of `int8Dot`.
    public var quantizeRowBytes: @Sendable (RowConversionArguments) -> Void
    /// Rows of floats rounded to the nearest bfloat16, for panels of `bfloat16`.
    public var roundRows: @Sendable (RowConversionArguments) -> Void
    /// The same two to a word, for panels of `bfloat16Dot`.
    public var roundRowPairs: @Sendable (RowConversionArguments) -> Void
    /// Columns copied into the left tiles of a weight gradient.
    public var packLeftTiles: @Sendable (LeftTilePackArguments) -> Void
    /// One forward step of an LSTM.
    public var lstmForward: @Sendable (RecurrentForwardArguments) -> Void
    /// One forward step of a GRU.
    public var gruForward: @Sendable (RecurrentForwardArguments) -> Void
    /// One forward step of an RNN, tanh or relu.
    public var rnnForward: @Sendable (RecurrentForwardArguments) -> Void
    /// One backward step of an LSTM.
    public var lstmBackward: @Sendable (RecurrentBackwardArguments) -> Void
    /// One backward step of a GRU.
    public var gruBackward: @Sendable (RecurrentBackwardArguments) -> Void
    /// One backward step of an RNN.
    public var rnnBackward: @Sendable (RecurrentBackwardArguments) -> Void
    /// Fused multiply-adds on registers only: (repetitions) → floating-point operations done, for the peak.
    public var peak: @Sendable (Int) -> Int
    /// Loads only, for the bandwidth of reading; the sum of what was read.
    public var readSweep: @Sendable (ReadSweepArguments) -> Float
    /// (x, y, count): y = eˣ, element by element.
    public var exponential: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    /// (x, y, count): y = tanh x.
    public var hyperbolicTangent: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    /// (x, y, count): y = 1/(1 + e⁻ˣ).
    public var sigmoid: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    /// Sums, products, dropout, softmax, optimisers.
    public var elementWise: ElementWiseTable

    /// A table of all kernels of one instruction set.
    public init(
        laneCount: Int,
        matrixProduct: @escaping @Sendable (MatrixProductArguments) -> Void,
        outerProduct: @escaping @Sendable (OuterProductArguments) -> Void,
        columnSum: @escaping @Sendable (ColumnSumArguments) -> Void,
        packRows: @escaping @Sendable (RowPackArguments) -> Void,
        transposeRows: @escaping @Sendable (StripTransposeArguments) -> Void,
        quantizeRows: @escaping @Sendable (RowConversionArguments) -> Void,
        quantizeRowBytes: @escaping @Sendable (RowConversionArguments) -> Void,
        roundRows: @escaping @Sendable (RowConversionArguments) -> Void,
        roundRowPairs: @escaping @Sendable (RowConversionArguments) -> Void,
        packLeftTiles: @escaping @Sendable (LeftTilePackArguments) -> Void,
        lstmForward: @escaping @Sendable (RecurrentForwardArguments) -> Void,
        gruForward: @escaping @Sendable (RecurrentForwardArguments) -> Void,
        rnnForward: @escaping @Sendable (RecurrentForwardArguments) -> Void,
        lstmBackward: @escaping @Sendable (RecurrentBackwardArguments) -> Void,
        gruBackward: @escaping @Sendable (RecurrentBackwardArguments) -> Void,
        rnnBackward: @escaping @Sendable (RecurrentBackwardArguments) -> Void,
        peak: @escaping @Sendable (Int) -> Int,
        readSweep: @escaping @Sendable (ReadSweepArguments) -> Float,
        exponential: @escaping @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
        hyperbolicTangent: @escaping @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
        sigmoid: @escaping @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
        elementWise: ElementWiseTable
    ) {
        self.laneCount = laneCount
        self.matrixProduct = matrixProduct
        self.outerProduct = outerProduct
        self.columnSum = columnSum
        self.packRows = packRows
        self.transposeRows = transposeRows
        self.quantizeRows = quantizeRows
        self.quantizeRowBytes = quantizeRowBytes
        self.roundRows = roundRows
        self.roundRowPairs = roundRowPairs
        self.packLeftTiles = packLeftTiles
        self.lstmForward = lstmForward
        self.gruForward = gruForward
        self.rnnForward = rnnForward
        self.lstmBackward = lstmBackward
        self.gruBackward = gruBackward
        self.rnnBackward = rnnBackward
        self.peak = peak
        self.readSweep = readSweep
        self.exponential = exponential
        self.hyperbolicTangent = hyperbolicTangent
        self.sigmoid = sigmoid
        self.elementWise = elementWise
    }
}
