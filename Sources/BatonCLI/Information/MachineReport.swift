import Baton

/// What `baton info` says: the machine, the kernels chosen for it, and the libraries.
struct MachineReport: CommandReport {
    /// The processor's marketing name.
    let processor: String
    /// Instruction set extensions of interest to the kernels.
    let features: [String]
    /// Bytes of the first, second and third level data cache; 0 when unknown.
    let cacheBytes: [Int]
    /// Instruction sets the lane kernels can use here.
    let availableISAs: [String]
    /// The one they do use (`BATON_ISA`).
    let isa: String
    /// The backend of f32 products (`BATON_KERNELS`).
    let kernels: String
    /// The kernel set OpenBLAS uses (`OPENBLAS_CORETYPE`).
    let blasCore: String
    /// The MPI library.
    let mpi: String
    /// Processes of this job.
    let ranks: Int

    /// Looks at this machine and this process.
    ///
    /// - Throws: when `BATON_ISA` or `BATON_KERNELS` names nothing, or the launcher's variables contradict each other.
    init() throws {
        let selection = try KernelSelection.current.get()
        let cpu = CPUFeatures.current
        processor = cpu.brand
        features = cpu.summary == "none" ? [] : cpu.summary.split(separator: " ").map(String.init)
        cacheBytes = [cpu.level1DataCacheBytes, cpu.level2CacheBytes, cpu.level3CacheBytes]
        availableISAs = InstructionSet.available.map(\.rawValue)
        isa = selection.instructionSet.rawValue
        kernels = selection.backend.rawValue
        blasCore = OpenBLASCore.current
        mpi = MPILibrary.version.split(separator: ",").first.map(String.init) ?? MPILibrary.version
        ranks = try LaunchEnvironment()?.size ?? 1
    }

    /// Lines for a person.
    var text: String {
        let caches = zip(["L1d", "L2", "L3"], cacheBytes).map { "\($0) \($1 > 0 ? byteText($1) : "unknown")" }
        let lines: [(String, String)] = [
            ("processor", processor),
            ("features", features.isEmpty ? "none" : features.joined(separator: " ")),
            ("caches", caches.joined(separator: ", ")),
            ("instruction sets", availableISAs.joined(separator: " ")),
            ("instruction set", isa),
            ("kernels", kernels),
            ("OpenBLAS core", blasCore),
            ("MPI", mpi),
            ("ranks", "\(ranks)"),
        ]
        return lines.map { name, value in
            name + ":" + String(repeating: " ", count: 18 - name.count) + value
        }.joined(separator: "\n")
    }
}
