import ArgumentParser
import Baton

/// `baton bench kernels`: the recurrent kernels of every backend beside the peak of the core.
struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Measures the recurrent kernels against the core's peak.",
        discussion: """
            GF/s counts 2·G·H·(I+H)·T·N operations for inference and three times as many for training (forward, \
            gradients of the data, gradients of the weights); the best of many repetitions counts. The share is that of \
            the FMA peak measured beside each row. BATON_ISA chooses the instruction set of the packed kernels; \
            BATON_KERNELS does not matter here. Never uses MPI; under mpirun every rank measures and rank 0 prints, \
            which shows a core while the others are busy.
            """)

    @Option(
        help: ArgumentHelp(
            "Text file with one shape per line, 'cell T N I H'; # starts a comment (default: a built-in list).",
            valueName: "file"))
    var shapes: String?
    @Option(help: "Time per measurement; at least three repetitions are made.") var seconds = 0.5
    @Option(help: "Backends, joined by commas: packed, blas.", transform: BenchKernelsCommand.backends)
    var kernels = KernelBackend.allCases
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        var processor: String
        var isa: String
        var blas_core: String
        var l2_read_gbytes_per_second: Double
        var l3_read_gbytes_per_second: Double
        var rows: [KernelMeasurement]
    }

    static func backends(_ text: String) throws -> [KernelBackend] {
        var result: [KernelBackend] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let backend = KernelBackend(rawValue: String(name)) else {
                throw ValidationError("'\(name)' is neither packed nor blas.")
            }
            if !result.contains(backend) { result.append(backend) }
        }
        return result
    }

    func validate() throws {
        guard seconds >= 0, seconds <= 3600 else {
            throw ValidationError("--seconds is \(seconds), expected 0 to 3600.")
        }
    }

    func run() throws {
        let list = try shapes.map { try KernelShapeFile.read(path: $0) } ?? KernelShape.standard
        var report = Report(
            processor: CPUFeatures.current.brand, isa: KernelSelection.active.instructionSet.rawValue,
            blas_core: OpenBLASCore.current,
            l2_read_gbytes_per_second: CoreCeilings.readBandwidth(bytes: 512 << 10) * 1e-9,
            l3_read_gbytes_per_second: CoreCeilings.readBandwidth(bytes: 8 << 20) * 1e-9, rows: [])
        let table = KernelTableText(shapes: list, backends: kernels)
        if !json {
            Console.print(
                """
                \(report.processor), one core, \(report.isa); OpenBLAS core \(report.blas_core)
                FMA peak \(fixed(CoreCeilings.peak() * 1e-9, digits: 1)) GF/s; \
                reads \(fixed(report.l2_read_gbytes_per_second, digits: 0)) GB/s from 512 KiB, \
                \(fixed(report.l3_read_gbytes_per_second, digits: 0)) GB/s from 8 MiB
                % is the share of the peak measured beside the row

                \(table.header)
                """)
        }
        for shape in list {
            let row = KernelMeasurement(shape, backends: kernels, seconds: seconds)
            report.rows.append(row)
            if !json { Console.print(table.line(row)) }
        }
        if json {
            Console.print(try jsonText(report))
        } else if report.rows.contains(where: \.isDisturbed) {
            Console.print("* other programs had the core even during the best repetition: too low, measure again")
        }
    }
}
