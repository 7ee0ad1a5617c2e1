import ArgumentParser
import Baton

/// `baton bench collective`: what sums over the ranks cost, by size.
struct BenchCollectiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collective", abstract: "Measures sums over ranks in the fixed tree, and what they are made of.",
        discussion: """
            tree is the sum of training, whose bits do not depend on the number of ranks; gather brings everything to \
            everybody, who adds it; broadcast and exchange only move bytes. GB/s are bytes of the array over the time. \
            Start the ranks with launch/run -n 2.
            """)

    @Option(
        help: "Sizes in KiB, joined by commas (default: 4,16,64,256,1024,4096,16384).",
        transform: BenchCollectiveCommand.sizes)
    var sizes = [4, 16, 64, 256, 1024, 4096, 16384]
    @Option(help: "Time per size and way.") var seconds = 0.3
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        let processor = CPUFeatures.current.brand
        let isa = KernelSelection.active.instructionSet.rawValue
        var ranks: Int
        var rows: [CollectiveMeasurement] = []
    }

    static func sizes(_ text: String) throws -> [Int] {
        try FlagCheck.list(text, of: "--sizes", limit: 1 << 20, example: "4,64,1024")
    }

    func validate() throws {
        try FlagCheck.seconds(seconds)
        guard try LaunchEnvironment()?.size ?? 1 >= 2 else {
            throw ValidationError("bench collective needs at least 2 ranks; start with launch/run -n 2.")
        }
    }

    func run() throws {
        let job = try ParallelJob()
        try job.agree(on: [("the flags", "\(sizes) \(seconds)")])
        var report = Report(ranks: job.communicator.size)
        let table = AlignedColumns(widths: [8, 9, 9, 9, 9, 10, 9, 9])
        if !json {
            Console.print("\(report.ranks) ranks; microseconds, the middle of all repetitions, of the slowest rank")
            Console.print(
                table.line([
                    "KiB", "tree", "GB/s", "gather", "GB/s", "broadcast", "exchange", "gather/tree",
                ]))
        }
        for size in sizes {
            let row = try CollectiveMeasurement(count: size << 8, seconds: seconds, world: job.communicator)
            report.rows.append(row)
            guard !json else { continue }
            Console.print(
                table.line([
                    String(size), fixed(row.treeMicroseconds, digits: 1), fixed(row.treeGBytesPerSecond, digits: 2),
                    fixed(row.gatherMicroseconds, digits: 1), fixed(row.gatherGBytesPerSecond, digits: 2),
                    fixed(row.broadcastMicroseconds, digits: 1), fixed(row.exchangeMicroseconds, digits: 1),
                    fixed(row.gatherMicroseconds / row.treeMicroseconds, digits: 2) + "×",
                ]))
        }
        if json { Console.print(try jsonText(report)) }
        try job.finish()
    }
}
