import ArgumentParser
import Baton

/// `baton bench kernels`: the recurrent kernels of every backend beside the peak of the core.
struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Measures the recurrent kernels against the core's peak.",
        discussion: """
            GF/s counts 2·G·H·(I+H)·T·N operations for inference and three times as many for training (forward, \
            gradients of the data, of the states before the first step, and of the weights), summed over layers and \
            directions; the best of many \
            repetitions counts. The share is that of the FMA peak measured beside each row; a row with a figure above \
            that peak is marked, for then the peak was measured too low. MiB/step are the weights \
            that an inference step reads at least, GB/s what a sweep over as many bytes as lie between two reads of a \
            weight reaches beside the row, and where reading takes longer than multiplying, read % is the share of \
            that. Weights in reduced precision are for inference and have no training; the share is that of the peak in f32, which \
            dot products of bfloat16 may pass. BATON_ISA chooses the instruction set of the packed kernels; \
            BATON_KERNELS does not matter here. Never uses MPI; under mpirun every rank measures and rank 0 prints, \
            which shows a core while the others are busy.
            """)

    @Option(
        help: ArgumentHelp(
            "Text file with one shape per line, '\(KernelShapeFile.form)'; # starts a comment (default: a built-in list).",
            valueName: "file"))
    var shapes: String?
    @Option(help: "Time per measurement; at least three repetitions are made (default: 0.25).") var seconds: Double?
    @Option(
        help: "Backends, joined by commas: packed, blas (default: both; packed in reduced precision).",
        transform: KernelBackend.list)
    var kernels: [KernelBackend]?
    @Option(help: "How the weights are held: float32 (the default), bfloat16 or int8.") var precision: WeightPrecision?
    @Option(
        help: "Order of the axes of the input and the output of a stack: TNC (the default), or NTC for batch first.")
    var axes: SequenceLayout?
    @Flag(
        help:
            "Start from states of zero and make no gradients of them, as a layer does that is called without states: one hidden product less, which is not counted either."
    ) var zeroStates = false
    @Flag(help: "Print the shapes, in the form of a shape file, and measure nothing.") var listShapes = false
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        var processor: String
        var isa: String
        var blasCore: String
        var axes: String
        var precision: String
        var zeroStates: Bool
        var l2ReadGBytesPerSecond: Double
        var l3ReadGBytesPerSecond: Double
        var rows: [KernelMeasurement]
    }

    func validate() throws {
        if let seconds { try FlagCheck.seconds(seconds) }
        if let precision, precision != .float32, kernels?.contains(.blas) == true {
            throw ValidationError(
                "--precision \(precision.rawValue) is for the packed kernels; leave blas out of --kernels.")
        }
        guard listShapes else { return }
        for (flag, isGiven) in [
            ("--seconds", seconds != nil), ("--kernels", kernels != nil), ("--axes", axes != nil),
            ("--precision", precision != nil), ("--zero-states", zeroStates),
        ] where isGiven {
            throw ValidationError("--list-shapes measures nothing; leave out \(flag).")
        }
        if json { throw ValidationError("--list-shapes prints text; give it without --json.") }
    }

    func run() throws {
        var list = try shapes.map { try KernelShapeFile.read(path: $0) } ?? KernelShape.standard
        for index in list.indices { list[index].startsFromZero = zeroStates }
        if listShapes {
            for shape in list { Console.print(KernelShapeFile.line(shape)) }
            return
        }
        let (axes, precision) = (axes ?? .TNC, precision ?? .float32)
        let backends = kernels ?? (precision == .float32 ? KernelBackend.allCases : [.packed])
        var report = Report(
            processor: CPUFeatures.current.brand, isa: KernelSelection.active.instructionSet.rawValue,
            blasCore: OpenBLASCore.current, axes: axes.rawValue, precision: precision.rawValue,
            zeroStates: zeroStates,
            l2ReadGBytesPerSecond: CoreCeilings.readBandwidth(bytes: 512 << 10) * 1e-9,
            l3ReadGBytesPerSecond: CoreCeilings.readBandwidth(bytes: 8 << 20) * 1e-9, rows: [])
        let table = KernelTableText(shapes: list, backends: backends, precision: precision)
        if !json {
            Console.print(
                """
                \(report.processor), one core, \(report.isa); OpenBLAS core \(report.blasCore); axes \(axes); weights in \(precision.rawValue)
                FMA peak \(fixed(CoreCeilings.peak() * 1e-9, digits: 1)) GF/s; \
                reads \(fixed(report.l2ReadGBytesPerSecond, digits: 0)) GB/s from 512 KiB, \
                \(fixed(report.l3ReadGBytesPerSecond, digits: 0)) GB/s from 8 MiB
                % is the share of the peak measured beside the row

                \(table.header)
                """)
        }
        for shape in list {
            let row = KernelMeasurement(
                shape, axes: axes, backends: backends, precision: precision, seconds: seconds ?? 0.25)
            report.rows.append(row)
            if !json { Console.print(table.line(row)) }
        }
        if json {
            Console.print(try jsonText(report))
        } else {
            for note in table.notes(report.rows) { Console.print(note) }
        }
    }
}
