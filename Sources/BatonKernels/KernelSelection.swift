import BatonKernelABI
import Glibc

/// What the environment variables `BATON_ISA` and `BATON_KERNELS` say, and what follows from them.
public struct KernelSelection: Sendable {
    /// The instruction set of the lane kernels.
    public let instructionSet: InstructionSet
    /// The backend of f32 products.
    public let backend: KernelBackend

    /// An environment variable with a value that names nothing.
    public struct Failure: Error, CustomStringConvertible {
        /// One sentence that names the variable and the values it can have.
        public let description: String
    }

    /// A selection by the words that `BATON_ISA` and `BATON_KERNELS` take.
    ///
    /// - Parameters:
    ///   - isa: `baseline`, `avx2`, `avx512`, or nil for the best this processor has.
    ///   - kernels: `auto`, `packed`, `blas`, or nil for `auto`.
    /// - Throws: `Failure` for another word, or an instruction set this processor has not.
    public init(isa: String?, kernels: String?) throws(Failure) {
        if let isa {
            guard let set = InstructionSet(rawValue: isa) else {
                throw Failure(
                    description:
                        "BATON_ISA is '\(isa)', expected baseline, avx2 or avx512; unset it to choose the best."
                )
            }
            guard set.isAvailable else {
                let names = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
                throw Failure(
                    description:
                        "BATON_ISA is '\(isa)', which this processor cannot run; choose from \(names), or unset it.")
            }
            instructionSet = set
        } else {
            instructionSet = InstructionSet.available.max() ?? .baseline
        }
        switch kernels ?? "auto" {
        case "auto", "packed": backend = .packed
        case "blas": backend = .blas
        case let other:
            throw Failure(description: "BATON_KERNELS is '\(other)', expected auto, packed or blas; unset it for auto.")
        }
    }

    /// The selection of this process; reads the environment once.
    public static let current: Result<KernelSelection, Failure> = {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        do throws(Failure) {
            return .success(try KernelSelection(isa: variable("BATON_ISA"), kernels: variable("BATON_KERNELS")))
        } catch {
            return .failure(error)
        }
    }()

    /// The selection of this process.
    ///
    /// - Precondition: the environment variables are valid; a program checks `current` first to say so kindly.
    public static var active: KernelSelection {
        switch current {
        case .success(let selection): return selection
        case .failure(let failure): fatalError(failure.description)
        }
    }

    /// Elements of a vector of the lane kernels of this process, which pack weights and gates in whole vectors.
    public static var laneCount: Int { activeTable.laneCount }

    /// Whether the lane kernels of this process may use the dot products of AVX-512 VNNI, of integers.
    static let hasIntegerDotProducts = active.instructionSet == .avx512 && CPUFeatures.current.hasAVX512VNNI

    /// Whether they may use those of AVX-512 BF16.
    static let hasBFloat16DotProducts = active.instructionSet == .avx512 && CPUFeatures.current.hasAVX512BFloat16

    /// The lane kernels of this process.
    static let activeTable: KernelTable = active.instructionSet.table

    /// The same, by reference, and those of vectors half as wide for the columns that these leave over (see `ColumnPart`).
    static let activeKernels = LaneKernels(activeTable)
    static let narrowKernels = active.instructionSet.narrower.map { LaneKernels($0.table) }
}
