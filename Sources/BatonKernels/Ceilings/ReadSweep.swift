import BatonKernelABI

/// The ceiling of reading: every byte of a buffer is loaded once, by the kernel that a product of one row runs, so
/// the figure is what the weights of a batch of one can be streamed with.
///
/// A buffer of half a cache level, swept again and again, gives the bandwidth of that level.
public final class ReadSweep {
    private static let depth = 512
    private let table = KernelSelection.activeTable
    private let strips: Int
    private let panels: AlignedBuffer
    private let row = AlignedBuffer(count: ReadSweep.depth)
    private let sums: AlignedBuffer

    /// A buffer of about so many bytes, rounded down to whole panels of four vectors and 512 rows, at least one.
    public init(byteCount: Int) {
        let stripFloats = ReadSweep.depth * table.laneCount
        strips = max(4, byteCount / MemoryLayout<Float>.stride / stripFloats / 4 * 4)
        panels = AlignedBuffer(count: strips * stripFloats)
        sums = AlignedBuffer(count: strips * table.laneCount)
    }

    /// Reads the buffer once on the calling thread. To be timed by the caller.
    ///
    /// - Returns: bytes read.
    public func run() -> Int {
        let lanes = table.laneCount
        table.matrixProduct(
            MatrixProductArguments(
                operand: ChainOperand(base: row.base, rowStride: ReadSweep.depth, depth: ReadSweep.depth),
                panels: PackedPanels(base: panels.base, depth: ReadSweep.depth, stripCount: strips),
                target: StripTarget(base: sums.base, rowStride: strips * lanes, stripStride: lanes), rows: 1,
                columns: strips * lanes, start: .zero))
        return strips * ReadSweep.depth * lanes * MemoryLayout<Float>.stride
    }
}
