/// A block of memory, 64-byte aligned, returned to the process-wide pool when the last tensor lets go of it.
///
/// In the steady state of a training step every block comes out of the pool: `StoragePool.systemAllocations`
/// stands still.
public final class Storage {
    /// Address of the first byte.
    public let pointer: UnsafeMutableRawPointer
    /// Usable bytes; the block itself may be larger.
    public let byteCount: Int
    private let capacity: Int

    /// Memory of unspecified content.
    public init(byteCount: Int) {
        precondition(byteCount >= 0, "Storage: negative size \(byteCount)")
        self.byteCount = byteCount
        (pointer, capacity) = StoragePool.take(byteCount: byteCount)
    }

    deinit { StoragePool.give(pointer, capacity: capacity) }
}
