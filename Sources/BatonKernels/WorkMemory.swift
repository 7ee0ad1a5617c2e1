import Glibc
import Synchronization

/// Memory for arrays.
public enum WorkMemory {
    private static let count = Atomic(0)
    /// Blocks obtained from the system since the process started.
    public static var allocations: Int { count.load(ordering: .relaxed) }

    /// Bytes from which an array gets huge pages.
    private static let hugeMinimum = 4 << 20
    private static let hugePage = 2 << 20

    /// Uninitialised memory, aligned to a cache line, to be returned with `deallocate`.
    ///
    /// Large arrays begin on a huge page, and the kernel is asked for such pages (`madvise`, Linux): the weight gradients
    /// read a column of gates, each element on another page of 4 KiB, and there are too few entries in the translation
    /// buffers for that.
    public static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let isLarge = byteCount >= hugeMinimum
        count.wrappingAdd(1, ordering: .relaxed)
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, isLarge ? hugePage : 64, max(byteCount, 64)) == 0, let memory else {
            leaveForLackOfMemory(byteCount)
        }
        // Only a hint: where the kernel has no such pages, nothing changes.
        if isLarge { _ = madvise(memory, byteCount, MADV_HUGEPAGE) }
        return memory
    }

    /// Returns memory to the system.
    public static func deallocate(_ memory: UnsafeMutableRawPointer) { free(memory) }

    /// Where the system has no more memory, or the shell's limit is reached, that is no mistake of the program: it ends with
    /// a sentence. Nobody up to the command could go on with less.
    private static func leaveForLackOfMemory(_ byteCount: Int) -> Never {
        var text =
            "baton: There is no memory for another \(byteCount) bytes; choose smaller sizes, or let the process have more (ulimit -v, control groups).\n"
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }
}
