/// The rows of one time step times the transpose of a weight matrix, out = a·Wᵀ, leaf by leaf.
///
/// OpenBLAS repacks W in every call, which for a handful of rows takes several times as long as the product. Its
/// AVX-512 cores have kernels that read small matrices in place, so W is cut into panels of columns that qualify:
/// 4 rows × 2048 × 512 run at 155 instead of 30 GFLOP/s. Other cores multiply up to four rows one by one. All leaves
/// use a block of W before the next one is read, so that it comes out of the L2 cache for all but the first.
///
/// Blocks and panels depend on the depth and on the leaf's own rows alone, so the bits do too.
struct RowProduct<Scalar: BLASScalar> {
    var leaves: [Range<Int>]
    var columns: Int
    var depth: Int
    /// (N, depth)
    var input: UnsafePointer<Scalar>
    var inputStride: Int
    /// (columns, depth) contiguous
    var weights: UnsafePointer<Scalar>
    /// Added to what is there, or written.
    var adds: Bool
    /// (N, columns)
    var output: UnsafeMutablePointer<Scalar>
    var outputStride: Int

    @inline(__always) func run() {
        let block = blockColumns
        for start in Swift.stride(from: 0, to: columns, by: block) {
            let end = min(start + block, columns)
            for leaf in leaves where !leaf.isEmpty {
                if leaf.count <= 4 && !OpenBLASCore.multipliesSmallMatricesInPlace {
                    for row in leaf { multiply(row: row, start..<end) }
                } else if let panel = panelColumns(rows: leaf.count) {
                    for first in Swift.stride(from: start, to: end, by: panel) {
                        multiply(leaf, first..<min(first + panel, end))
                    }
                } else if start == 0 {
                    multiply(leaf, 0..<columns)
                }
            }
        }
    }

    /// Columns of W that stay in the L2 cache (131,072 values at most, or 16 columns), a power of two.
    private var blockColumns: Int { powerOfTwo(notAbove: min(256, max(16, 131_072 / max(1, depth)))) }

    /// The power of two up to the block whose product OpenBLAS takes to its small-matrix kernels: at most 1200
    /// elements of the result and 10⁶ multiplications (measured, f32 and f64). nil if there is none of 16 or more.
    private func panelColumns(rows: Int) -> Int? {
        guard OpenBLASCore.multipliesSmallMatricesInPlace else { return nil }
        let widest = min(1200 / rows, 1_000_000 / (rows * max(1, depth)), blockColumns)
        return widest >= 16 ? powerOfTwo(notAbove: widest) : nil
    }

    private func powerOfTwo(notAbove limit: Int) -> Int {
        1 << (Int.bitWidth - 1 - limit.leadingZeroBitCount)
    }

    @inline(__always) private func multiply(_ leaf: Range<Int>, _ range: Range<Int>) {
        Scalar.multiply(
            rows: leaf.count, columns: range.count, depth: depth,
            MatrixOperand(input + leaf.lowerBound * inputStride, stride: inputStride),
            MatrixOperand(weights + range.lowerBound * depth, stride: depth, transposed: true),
            adds: adds, into: output + leaf.lowerBound * outputStride + range.lowerBound, stride: outputStride)
    }

    @inline(__always) private func multiply(row: Int, _ range: Range<Int>) {
        Scalar.multiply(
            columns: range.count, depth: depth, MatrixOperand(weights + range.lowerBound * depth, stride: depth),
            vector: input + row * inputStride, adds: adds, into: output + row * outputStride + range.lowerBound)
    }
}
