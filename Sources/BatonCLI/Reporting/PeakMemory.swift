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

    /// Megabytes of every rank. Collective.
    static func megabytes(on communicator: any Communicator) throws -> [Double] {
        try gathered([bytes], on: communicator).map { ($0[0] * 1e-6).rounded() }
    }

    /// `peak memory 215 MB`, or of all ranks.
    static func text(_ megabytes: [Double]) -> String {
        "peak memory " + megabytes.map { fixed($0, digits: 0) }.joined(separator: ", ") + " MB"
            + (megabytes.count > 1 ? " of ranks 0 to \(megabytes.count - 1)" : "")
    }
}
