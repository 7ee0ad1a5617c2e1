import BatonKernelABI

/// The ceiling of reading: every byte of a buffer is loaded once, with as little arithmetic as can be, so the figure is
/// what no product can stream its weights faster than.
///
/// A buffer of half a cache level, swept again and again, gives the bandwidth of that level.
public final class ReadSweep {
    /// The order of the loads. Which is faster depends on the cache level and the processor.
    public enum Order: Sendable, CaseIterable {
        /// From the first byte to the last.
        case oneStream
        /// Through four quarters at once.
        case fourStreams
    }

    private let table = KernelSelection.activeTable
    /// Vectors of a quarter.
    private let count: Int
    private let buffer: AlignedBuffer

    /// A buffer of about so many bytes, rounded down to four whole vectors, at least four.
    public init(byteCount: Int) {
        count = max(1, byteCount / MemoryLayout<Float>.stride / (4 * table.laneCount))
        buffer = AlignedBuffer(count: 4 * count * table.laneCount)
        // Ones, so that the sum tells how much was read.
        buffer.base.update(repeating: 1, count: 4 * count * table.laneCount)
    }

    /// Bytes of the buffer.
    public var byteCount: Int { 4 * count * table.laneCount * MemoryLayout<Float>.stride }

    /// Reads the buffer once on the calling thread. To be timed by the caller.
    ///
    /// - Returns: the sum over all floats of the buffer, which are ones; the sum of each of the 4·lanes chains is exact
    ///   up to 2²⁴ vectors.
    @discardableResult
    public func run(_ order: Order) -> Float {
        let lanes = table.laneCount
        return table.readSweep(
            ReadSweepArguments(
                base: UnsafePointer(buffer.base), regionDistance: order == .oneStream ? lanes : count * lanes,
                step: order == .oneStream ? 4 * lanes : lanes, count: count))
    }
}
