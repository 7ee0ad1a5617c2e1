/// The kernels of one instruction set. One table is chosen once per process.
public struct KernelTable: Sendable {

    /// Lanes of a vector: 16 (AVX-512), 8 (AVX2), 4 (baseline).
    public var laneCount: Int
    public var matrixProduct: @Sendable (MatrixProductArguments) -> Void
    public var outerProduct: @Sendable (OuterProductArguments) -> Void
    public var columnSum: @Sendable (ColumnSumArguments) -> Void
    public var packRows: @Sendable (RowPackArguments) -> Void
    public var lstmForward: @Sendable (RecurrentForwardArguments) -> Void
    public var gruForward: @Sendable (RecurrentForwardArguments) -> Void
    public var rnnForward: @Sendable (RecurrentForwardArguments) -> Void
    public var lstmBackward: @Sendable (RecurrentBackwardArguments) -> Void
    public var gruBackward: @Sendable (RecurrentBackwardArguments) -> Void
    public var rnnBackward: @Sendable (RecurrentBackwardArguments) -> Void
    /// Fused multiply-adds on registers only: (repetitions) → floating-point operations done, for the peak.
    public var peak: @Sendable (Int) -> Int
    /// y = exp, tanh, sigmoid of x, element by element.
    public var exponential: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    public var hyperbolicTangent: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    public var sigmoid: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    /// Sums, products, dropout, softmax, optimisers.
    public var elementWise: ElementWiseTable

    public init(
        laneCount: Int,
        matrixProduct: @escaping @Sendable (MatrixProductArguments) -> Void,
        outerProduct: @escaping @Sendable (OuterProductArguments) -> Void,
        columnSum: @escaping @Sendable (ColumnSumArguments) -> Void,
        packRows: @escaping @Sendable (RowPackArguments) -> Void,
        lstmForward: @escaping @Sendable (RecurrentForwardArguments) -> Void,
        gruForward: @escaping @Sendable (RecurrentForwardArguments) -> Void,
        rnnForward: @escaping @Sendable (RecurrentForwardArguments) -> Void,
        lstmBackward: @escaping @Sendable (RecurrentBackwardArguments) -> Void,
        gruBackward: @escaping @Sendable (RecurrentBackwardArguments) -> Void,
        rnnBackward: @escaping @Sendable (RecurrentBackwardArguments) -> Void,
        peak: @escaping @Sendable (Int) -> Int,
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
        self.lstmForward = lstmForward
        self.gruForward = gruForward
        self.rnnForward = rnnForward
        self.lstmBackward = lstmBackward
        self.gruBackward = gruBackward
        self.rnnBackward = rnnBackward
        self.peak = peak
        self.exponential = exponential
        self.hyperbolicTangent = hyperbolicTangent
        self.sigmoid = sigmoid
        self.elementWise = elementWise
    }
}
