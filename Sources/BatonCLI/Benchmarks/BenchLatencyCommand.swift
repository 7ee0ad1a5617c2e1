import ArgumentParser
import Baton

/// `baton bench latency`: how long a stream waits for a step.
struct BenchLatencyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency", abstract: "Measures single steps and short chunks of a stack that keeps its states.",
        discussion: """
            Every call feeds T steps of N rows (T is 1 or the length of a chunk) to a stack of layers and hands the \
            states on, in one thread, without MPI. Times are those of a call divided by T; every call counts, so on a \
            machine with other work the upper percentiles are those of the machine. MiB/step are the weights a step has \
            to read at least (in a chunk those of the input once per call); GB/s is that over the median time, and \
            read % its share of what a sweep over as many bytes as lie between two reads of a weight reaches beside the \
            row. A share may pass 100 where part of the weights is still in a nearer cache. BATON_ISA and \
            BATON_KERNELS choose the kernels. error ppm is the greatest difference to the same stack in f64, as millionths of \
            the greatest output.
            """)

    @Option(
        help: ArgumentHelp(
            "Text file with one shape per line, '\(KernelShapeFile.streamForm)'; # starts a comment (default: a built-in list).",
            valueName: "file"))
    var shapes: String?
    @OptionGroup var weights: PrecisionOption
    @Option(help: "Time per shape; at least a hundred calls are made.") var seconds = 1.0
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        var processor: String
        var isa: String
        var kernels: String
        var rows: [LatencyMeasurement]
    }

    func validate() throws { try FlagCheck.seconds(seconds) }

    func run() throws {
        let list = try shapes.map { try KernelShapeFile.read(path: $0, streams: true) } ?? KernelShape.streaming
        try weights.check()
        let precision = weights.precision
        var report = Report(
            processor: CPUFeatures.current.brand, isa: KernelSelection.active.instructionSet.rawValue,
            kernels: KernelSelection.active.backend.rawValue, rows: [])
        let table = LatencyTableText(shapes: list)
        if !json {
            Console.print(
                "\(report.processor), one core, \(report.isa), \(report.kernels) kernels, weights in \(precision.rawValue)\n\n\(table.header)"
            )
        }
        for shape in list {
            let row = LatencyMeasurement(shape, precision: precision, seconds: seconds)
            report.rows.append(row)
            if !json { Console.print(table.line(row)) }
        }
        if json { Console.print(try jsonText(report)) }
    }
}
