import Baton
import Glibc

/// The most memory a process has held at once.
enum PeakMemory {
    /// Resident bytes of this process, as the kernel counts them (`ru_maxrss`).
    static var bytes: Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return Double(usage.ru_maxrss) * 1024
    }

    /// Memory of this process before its first model. What MPI keeps of models that are gone is not in it.
    static let bytesAtStart = residentBytes

    /// Lets the peak begin anew, at what is resident after everything free has been returned to the system.
    static func reset() {
        StoragePool.trim()
        // "5" resets the peak (proc(5)); where that is not allowed, the peak stays that of the whole process.
        guard let file = fopen("/proc/self/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    /// Memory of this process that is there now.
    static var residentBytes: Double {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        return fields.count > 1 ? (Double(fields[1]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// Megabytes of every rank. Collective.
    static func megabytes(on communicator: any Communicator) throws -> [Double] {
        try communicator.allGather(bytes).map { ($0 * 1e-6).rounded() }
    }

    /// `peak memory 215 MB`, or of all ranks.
    static func text(_ megabytes: [Double]) -> String {
        "peak memory " + megabytes.map { fixed($0, digits: 0) }.joined(separator: ", ") + " MB"
            + (megabytes.count > 1 ? " of ranks 0 to \(megabytes.count - 1)" : "")
    }
}
