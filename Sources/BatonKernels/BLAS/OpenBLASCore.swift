internal import COpenBLAS
internal import Glibc

/// Which of its kernel sets ("cores") OpenBLAS uses, and how the process gets the right one.
///
/// OpenBLAS knows processors by family and model; on one it has never heard of it falls back to lesser kernels
/// (half the speed on AVX-512 machines). It can be told better by `OPENBLAS_CORETYPE`, but reads that only while the
/// library loads, which is before `main`. So an executable calls `reexecuteIfNeeded()` first thing.
public enum OpenBLASCore {
    static let coreVariable = "OPENBLAS_CORETYPE"
    static let threadsVariable = "OPENBLAS_NUM_THREADS"

    /// The core the loaded library uses, for instance "SkylakeX".
    public static var current: String {
        guard let name = openblas_get_corename() else { return "unknown" }
        return String(cString: name)
    }

    /// The core to force on a processor with `features` when the library by itself picked `picked`; nil if its own
    /// choice is as good. Never names a core whose instructions the processor lacks.
    public static func forced(on features: CPUFeatures, picked: String) -> String? {
        if features.hasAVX512 {
            return avx512Cores.contains(picked.lowercased()) ? nil : "SkylakeX"
        }
        if features.hasAVX2 {
            return avx2Cores.contains(picked.lowercased()) ? nil : "Haswell"
        }
        return nil
    }

    /// Runs the program anew, with the same arguments and process id, when OpenBLAS picked a lesser core than the
    /// processor allows. Returns when nothing has to be done: the core is right, or `OPENBLAS_CORETYPE` is set
    /// (by the user, or by this function's first run).
    ///
    /// To be called before threads are started and before `MPI_Init`. A failing `execv` is reported on standard
    /// error and the program goes on with the core it has; ranks with different cores are refused at start-up.
    public static func reexecuteIfNeeded() {
        guard getenv(coreVariable) == nil, let core = forced(on: .current, picked: current) else { return }
        setenv(coreVariable, core, 1)
        setenv(threadsVariable, "1", 0)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        let reason = String(cString: strerror(errno))
        let message =
            "warning: could not restart with \(coreVariable)=\(core) (\(reason)); OpenBLAS runs its slower "
            + "\(current) kernels, set the variable before starting to avoid this\n"
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// Whether products of small matrices read their operands in place instead of packing them first.
    static let multipliesSmallMatricesInPlace = avx512Cores.contains(current.lowercased())

    private static let avx512Cores: Set = ["skylakex", "cooperlake", "sapphirerapids"]
    /// Excavator's kernels are Haswell's or near them; all three use AVX2 and FMA.
    private static let avx2Cores: Set = ["haswell", "zen", "excavator"]

    /// Limits OpenBLAS to the calling thread, once. A product cut over threads could round differently, and one
    /// process per core is how Baton uses a machine.
    static let usesOneThread: Bool = {
        openblas_set_num_threads(1)
        return openblas_get_num_threads() == 1
    }()
}
