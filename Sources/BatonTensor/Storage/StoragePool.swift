internal import BatonKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Free blocks by size class, shared by the process.
public enum StoragePool {
    private struct State {
        /// Addresses of free blocks by capacity.
        var free: [Int: [UInt]] = [:]
        var systemAllocations = 0
        var systemBytes = 0
    }

    private static let state = Mutex(State())

    /// Blocks obtained from the system since the process started.
    public static var systemAllocations: Int { state.withLock { $0.systemAllocations } }
    /// Bytes obtained from the system since the process started.
    public static var systemBytes: Int { state.withLock { $0.systemBytes } }

    /// Size classes: multiples of 64 bytes up to 4 KiB, then four per power of two.
    static func sizeClass(_ byteCount: Int) -> Int {
        if byteCount <= 4096 { return max(64, (byteCount + 63) & ~63) }
        let quarter = 1 << (Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount - 2)
        return (byteCount + quarter - 1) / quarter * quarter
    }

    static func take(byteCount: Int) -> (pointer: UnsafeMutableRawPointer, capacity: Int) {
        let capacity = sizeClass(byteCount)
        let reused: UInt? = state.withLock { pool in
            if let address = pool.free[capacity]?.popLast() { return address }
            pool.systemAllocations += 1
            pool.systemBytes += capacity
            return nil
        }
        if let reused, let pointer = UnsafeMutableRawPointer(bitPattern: reused) { return (pointer, capacity) }
        return (WorkMemory.allocate(byteCount: capacity), capacity)
    }

    /// Returns all free blocks to the system, and what the allocator holds of them. Tensors of other shapes than the next
    /// model's would keep their memory otherwise.
    public static func trim() {
        let blocks = state.withLock { pool in
            defer { pool.free = [:] }
            return pool.free.values.flatMap { $0 }
        }
        for address in blocks { UnsafeMutableRawPointer(bitPattern: address).map(WorkMemory.deallocate) }
        #if canImport(Glibc)
            // Not in the headers that Swift's Glibc shows.
            if let trim = dlsym(nil, "malloc_trim") {
                _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> Int32).self)(0)
            }
        #endif
    }

    static func give(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
        state.withLock { $0.free[capacity, default: []].append(UInt(bitPattern: pointer)) }
    }
}
