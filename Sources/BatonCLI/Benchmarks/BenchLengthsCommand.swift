import ArgumentParser
import Baton

/// `baton bench lengths`: the cost of rows of unequal lengths beside the sum of the lengths.
struct BenchLengthsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lengths", abstract: "Measures what rows of unequal lengths cost.",
        discussion: """
            Every shape runs with three sets of lengths: uniform from 1 to T; half of the rows T and half T/2; one row T \
            and the others T/4. The ratio is the time over that of the same rows at length T, over Σλ / (T·N): 1 is \
            cost in proportion to the sum of the lengths, and N·T rows of work would show as (T·N) / Σλ. Steps with few \
            rows left are bound by reading the weights, which lifts the ratio where one row is much longer than the rest. Times are those the thread had a core.
            """)

    @Option(
        help: ArgumentHelp(
            "Text file with one shape per line, '\(KernelShapeFile.form)'; # starts a comment (default: a built-in list).",
            valueName: "file"))
    var shapes: String?
    @Option(help: "Time per measurement; at least three repetitions are made.") var seconds = 0.5
    @Option(help: "Backends, joined by commas: packed, blas (default: both).", transform: KernelBackend.list)
    var kernels = KernelBackend.allCases
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        var processor: String
        var isa: String
        var rows: [LengthMeasurement]
    }

    /// What is measured when no file names other shapes.
    private static let standard = [(RecurrentKind.lstm, 512), (.gru, 512), (.rnnTanh, 512), (.lstm, 128)].map {
        KernelShape(cell: $0, steps: 50, batch: 32, input: $1, hidden: $1)
    }

    func validate() throws { try FlagCheck.seconds(seconds) }

    func run() throws {
        let list = try shapes.map { try KernelShapeFile.read(path: $0) } ?? Self.standard
        // Full and unequal lengths stand side by side.
        for shape in list { try shape.checkMemory(copies: 2) }
        var report = Report(
            processor: CPUFeatures.current.brand, isa: KernelSelection.active.instructionSet.rawValue, rows: [])
        let columns = AlignedColumns(widths: [ShapeColumn.width(list), 7, 9, 9, 12, 6, 12, 6])
        if !json {
            Console.print(
                """
                \(report.processor), one core, \(report.isa)
                ratio 1 is cost in proportion to the sum of the lengths

                \(columns.line(
                    [ShapeColumn.title, "kernels", "lengths", "Σλ/TN", "inference ms", "ratio", "training ms", "ratio"]))
                """)
        }
        for shape in list {
            for backend in kernels {
                for distribution in LengthDistribution.allCases {
                    let row = LengthMeasurement(shape, distribution, backend: backend, seconds: seconds)
                    report.rows.append(row)
                    if !json { Console.print(columns.line(cells(row))) }
                }
            }
        }
        if json { Console.print(try jsonText(report)) }
    }

    private func cells(_ row: LengthMeasurement) -> [String] {
        let passes = [row.inference, row.training].flatMap {
            [fixed($0.seconds * 1e3, digits: 2), fixed($0.costRatio, digits: 2)]
        }
        return [row.shape, row.kernels, row.lengths, fixed(row.shareOfRows, digits: 3)] + passes
    }
}
