import Foundation
import Glibc

/// Mutated files, one after the other, given to a reader that must neither crash, nor hang, nor claim memory without
/// bound: whatever it throws is an answer.
///
/// File number i of a run depends on the seed and i alone, so that a failure is repeated by starting at its number.
/// To be run in a process of its own, whose address space it limits. The number of the file at hand is kept in a file,
/// where the parent process finds it after a crash.
public struct FuzzRun: Codable, Sendable {
    /// Which mutations.
    public var seed: UInt64
    /// Number of the first mutation.
    public var first: Int
    /// How many mutations.
    public var count: Int
    /// Where the number of the file at hand is kept.
    public var progressPath: String
    /// What the process may allocate beyond what it has.
    public var memoryLimit = 256 << 20
    /// What one file may take.
    public var secondsLimit = 5.0

    public init(seed: UInt64, first: Int, count: Int, progressPath: String) {
        self.seed = seed
        self.first = first
        self.count = count
        self.progressPath = progressPath
    }

    /// What a run has seen.
    public struct Report: Codable, Sendable {
        public var files = 0
        public var accepted = 0
        public var slowestSeconds = 0.0
        public var slowestFile = 0
        public var seconds = 0.0
        /// Growth of the address space.
        public var grownBytes = 0
    }

    /// Reads all mutations of the corpus.
    ///
    /// - Parameters:
    ///   - words: byte strings that mean something in the format.
    ///   - read: must throw for what it does not accept.
    public func run(corpus: [[UInt8]], words: [[UInt8]], read: ([UInt8]) throws -> Void) -> Report {
        precondition(!corpus.isEmpty, "FuzzRun: no corpus")
        let progress = open(progressPath, O_WRONLY | O_CREAT, 0o600)
        precondition(progress >= 0, "FuzzRun: cannot write \(progressPath)")
        defer { close(progress) }
        let before = Self.addressSpace()
        limitAddressSpace(before + memoryLimit)
        var report = Report()
        let start = Self.processorSeconds()
        for number in first..<first + count {
            var current = Int64(number)
            pwrite(progress, &current, 8, 0)
            var generator = MutationGenerator(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(number))
            let bytes = generator.mutateFile(corpus, words: words)
            let started = Self.processorSeconds()
            if (try? read(bytes)) != nil { report.accepted += 1 }
            let seconds = Self.processorSeconds() - started
            if seconds > report.slowestSeconds { (report.slowestSeconds, report.slowestFile) = (seconds, number) }
            precondition(seconds < secondsLimit, "FuzzRun: file \(number) of seed \(seed) took \(seconds) s")
            report.files += 1
        }
        report.seconds = Self.processorSeconds() - start
        report.grownBytes = Self.addressSpace() - before
        return report
    }

    private func limitAddressSpace(_ bytes: Int) {
        var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
        precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, "FuzzRun: no limit can be set")
    }

    /// Time the process has computed; on a busy machine the clock on the wall would tell nothing about a file.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Bytes of address space in use: the first number of `/proc/self/statm`, in pages.
    private static func addressSpace() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").first.flatMap { Int($0) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
