import BatonChecks

/// A block of memory, 64-byte aligned, returned to the process-wide pool when the last tensor lets go of it. Memory of
/// somebody else, such as what several processes share, is only let go of.
///
/// In the steady state of a training step every block comes out of the pool: `StoragePool.systemAllocations`
/// stands still.
public final class Storage {
    /// Address of the first byte.
    public let pointer: UnsafeMutableRawPointer
    /// Usable bytes; the block itself may be larger.
    public let byteCount: Int
    private let capacity: Int
    /// Whose memory it is; nil for the pool's.
    private let owner: AnyObject?

    /// Memory of unspecified content.
    public init(byteCount: Int) {
        require(byteCount >= 0, "Storage: negative size \(byteCount)")
        self.byteCount = byteCount
        owner = nil
        (pointer, capacity) = StoragePool.take(byteCount: byteCount)
    }

    /// Memory of somebody else, who is kept alive.
    init(_ bytes: UnsafeMutableRawBufferPointer, owner: AnyObject) {
        guard let base = bytes.baseAddress, UInt(bitPattern: base) % 64 == 0 else {
            fatalError("Storage: expected memory at an address that 64 divides")
        }
        (pointer, byteCount, capacity) = (base, bytes.count, bytes.count)
        self.owner = owner
    }

    deinit {
        if owner == nil { StoragePool.give(pointer, capacity: capacity) }
    }
}
