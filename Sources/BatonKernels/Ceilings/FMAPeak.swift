import BatonChecks
import BatonKernelABI

/// The ceiling of arithmetic: fused multiply-adds of the process's instruction set on operands that stay in registers
/// and the first-level cache.
public enum FMAPeak {
    /// Runs the loop on the calling thread. To be timed by the caller; what one repetition does depends on the
    /// instruction set.
    ///
    /// - Parameter repetitions: at least 1.
    /// - Returns: floating-point operations done, two per multiply-add.
    public static func run(repetitions: Int) -> Int {
        require(repetitions >= 1, "FMAPeak: \(repetitions) repetitions, expected at least 1")
        return KernelSelection.activeTable.peak(repetitions)
    }
}
