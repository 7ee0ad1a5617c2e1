import Foundation

/// How much a fuzz test does, from the environment, and what it says.
///
/// `BATON_FUZZ_FILES` is the number of mutations per reader (2,000 when absent), `BATON_FUZZ_SEED` another seed than 1,
/// `BATON_FUZZ_FIRST` the number to start at, which repeats a failure.
public enum FuzzCampaign {
    /// A run as the environment asks for it.
    public static func run(_ reader: String) -> FuzzRun {
        FuzzRun(
            seed: UInt64(variable("BATON_FUZZ_SEED", 1)), first: variable("BATON_FUZZ_FIRST", 0),
            count: variable("BATON_FUZZ_FILES", 2_000),
            progressPath: FileManager.default.temporaryDirectory.appending(path: "baton-fuzz-\(reader)-\(getpid())")
                .path)
    }

    /// Whether figures are to be printed: somebody asked for a number of files.
    public static var isByHand: Bool { ProcessInfo.processInfo.environment["BATON_FUZZ_FILES"] != nil }

    /// The number of the file that a crashed run was at.
    public static func fileAtHand(_ run: FuzzRun) -> Int {
        let bytes = (try? Data(contentsOf: URL(fileURLWithPath: run.progressPath))) ?? Data()
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// One line of figures out of what a run's process printed.
    public static func summary(_ reader: String, output: [UInt8]) -> String {
        guard let report = try? JSONDecoder().decode(FuzzRun.Report.self, from: Data(output)) else {
            return "\(reader): no report"
        }
        let slowest = (report.slowestSeconds * 1e3).formatted(.number.precision(.fractionLength(1)))
        let seconds = report.seconds.formatted(.number.precision(.fractionLength(1)))
        return
            "fuzz \(reader): \(report.files) files, \(report.accepted) accepted, \(seconds) s, slowest \(slowest) ms "
            + "(file \(report.slowestFile)), address space grew by \(report.grownBytes >> 20) MiB"
    }

    private static func variable(_ name: String, _ standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }
}
