#if canImport(Glibc)
    import Glibc
#endif

/// Memory for arrays.
public enum WorkMemory {
    /// Bytes from which an array gets huge pages.
    private static let hugeMinimum = 4 << 20
    private static let hugePage = 2 << 20

    /// Uninitialised memory, aligned to a cache line, to be freed with `deallocate`.
    ///
    /// Large arrays begin on a huge page, and the kernel is asked for such pages (`madvise`, Linux): the weight gradients
    /// read a column of gates, each element on another page of 4 KiB, and there are too few entries in the translation
    /// buffers for that.
    public static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= hugeMinimum else {
            return UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 64), alignment: 64)
        }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        #if canImport(Glibc)
            // Only a hint: where the kernel has no such pages, nothing changes.
            _ = madvise(memory, byteCount, MADV_HUGEPAGE)
        #endif
        return memory
    }
}
