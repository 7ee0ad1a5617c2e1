import BatonChecks
public import BatonKernelABI
import BatonKernelsBaseline

#if arch(x86_64)
    import BatonKernelsAVX2
    import BatonKernelsAVX512
#endif

/// Instruction sets the lane kernels exist for.
public enum InstructionSet: String, Sendable, CaseIterable, Comparable {
    case baseline, avx2, avx512

    /// Whether the left set is the narrower one.
    public static func < (left: Self, right: Self) -> Bool { left.order < right.order }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Whether this processor and operating system can run it.
    public var isAvailable: Bool {
        switch self {
        case .baseline: true
        case .avx2: CPUFeatures.current.hasAVX2
        case .avx512: CPUFeatures.current.hasAVX512
        }
    }

    /// Those that this processor can run, ascending.
    public static var available: [InstructionSet] { allCases.filter(\.isAvailable) }

    /// The one with vectors half as wide that does a fused multiply-add in one instruction too.
    var narrower: InstructionSet? { self == .avx512 && InstructionSet.avx2.isAvailable ? .avx2 : nil }

    /// Its kernels.
    ///
    /// - Precondition: `isAvailable`.
    public var table: KernelTable {
        require(isAvailable, "InstructionSet: this processor cannot run \(rawValue)")
        switch self {
        case .baseline: return BatonKernelsBaseline.makeKernelTable()
        #if arch(x86_64)
            case .avx2: return BatonKernelsAVX2.makeKernelTable()
            case .avx512: return BatonKernelsAVX512.makeKernelTable()
        #else
            case .avx2, .avx512: return BatonKernelsBaseline.makeKernelTable()
        #endif
        }
    }
}
