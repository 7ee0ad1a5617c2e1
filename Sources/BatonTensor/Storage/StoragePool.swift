internal import BatonKernels
import Glibc
import Synchronization

/// Free blocks by size class, shared by the process.
public enum StoragePool {
    private struct State {
        /// Address of the first free block of every size class; each begins with that of the next one, 0 is none.
        var free = [UInt](repeating: 0, count: sizeClassCount)
        var systemAllocations = 0
        var systemBytes = 0
    }

    private static let state = Mutex(State())

    /// Blocks obtained from the system since the process started.
    public static var systemAllocations: Int { state.withLock { $0.systemAllocations } }
    /// Bytes obtained from the system since the process started.
    public static var systemBytes: Int { state.withLock { $0.systemBytes } }

    /// The number and the capacity of a size class: multiples of 64 bytes up to 4 KiB, then four per power of two.
    static func sizeClass(_ byteCount: Int) -> (number: Int, capacity: Int) {
        if byteCount <= 4096 {
            let lines = max(1, (byteCount + 63) / 64)
            return (lines - 1, lines * 64)
        }
        let exponent = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let quarter = 1 << (exponent - 2)
        let quarters = (byteCount + quarter - 1) / quarter
        return (64 + (exponent - 12) * 4 + quarters - 5, quarters * quarter)
    }
    private static let largest = 1 << 62
    private static let sizeClassCount = 64 + (62 - 12) * 4

    static func take(byteCount: Int) -> (pointer: UnsafeMutableRawPointer, capacity: Int) {
        // More than any machine has: there is no such class, and this says so.
        if byteCount > largest { return (WorkMemory.allocate(byteCount: byteCount), byteCount) }
        let (number, capacity) = sizeClass(byteCount)
        let reused: UInt = state.withLock { pool in
            let first = pool.free[number]
            if let block = UnsafeMutableRawPointer(bitPattern: first) {
                pool.free[number] = block.load(as: UInt.self)
            } else {
                pool.systemAllocations += 1
                pool.systemBytes += capacity
            }
            return first
        }
        return (UnsafeMutableRawPointer(bitPattern: reused) ?? WorkMemory.allocate(byteCount: capacity), capacity)
    }

    /// Returns all free blocks to the system, and what the allocator holds of them. Tensors of other shapes than the next
    /// model's would keep their memory otherwise.
    public static func trim() {
        let lists = state.withLock { pool in
            defer { pool.free = State().free }
            return pool.free
        }
        for first in lists {
            var next = UnsafeMutableRawPointer(bitPattern: first)
            while let block = next {
                next = UnsafeMutableRawPointer(bitPattern: block.load(as: UInt.self))
                WorkMemory.deallocate(block)
            }
        }
        // Not in the headers that Swift's Glibc shows.
        if let trim = dlsym(nil, "malloc_trim") {
            _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> Int32).self)(0)
        }
    }

    static func give(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
        let (number, _) = sizeClass(capacity)
        state.withLock { pool in
            pointer.storeBytes(of: pool.free[number], as: UInt.self)
            pool.free[number] = UInt(bitPattern: pointer)
        }
    }
}
