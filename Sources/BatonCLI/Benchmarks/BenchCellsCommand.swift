import ArgumentParser
import Baton

/// `baton bench cells`: stacks of cells, hybridised and stepped, beside the fused layers.
struct BenchCellsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cells", abstract: "Measures stacks of cells, hybridised and not, beside fused layers.",
        discussion: """
            Plain cells that a fused layer equals run on its kernels once they are hybridised, so 'to layer' is 1 for \
            them. Other cells keep their single steps; hybridising changes nothing, so 'to steps' is 1. Inference and \
            training of one sequence, in time the thread had a core.
            """)

    @Option(help: "T.") var steps = 50
    @Option(help: "N.") var batch = 32
    @Option(help: "C.") var input = 256
    @Option(help: "H.") var hidden = 256
    @Option(help: "Time per measurement; at least one turn of three repetitions is made.") var seconds = 0.5
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        var processor: String
        var isa: String
        var rows: [CellMeasurement]
    }

    func validate() throws {
        try FlagCheck.counts(
            ["--steps": steps, "--batch": batch, "--input": input, "--hidden": hidden], limit: 100_000)
        try FlagCheck.seconds(seconds)
    }

    func run() throws {
        // The largest of the stacks.
        try KernelShape(
            cell: .lstm, steps: steps, batch: batch, input: input, hidden: hidden, layers: 2, bidirectional: true
        ).checkMemory()
        var report = Report(
            processor: CPUFeatures.current.brand, isa: KernelSelection.active.instructionSet.rawValue, rows: [])
        let columns = AlignedColumns(widths: [27, 9, 9, 9, 9, 9, 9, 9, 9])
        if !json {
            Console.print(
                """
                \(report.processor), one core, \(report.isa); T \(steps), N \(batch), C \(input), H \(hidden)
                hybridised cells: milliseconds of inference and training, and these over the layer's and the single steps'

                \(columns.line(
                    ["cells", "layer ms", "cells ms", "to layer", "to steps", "layer ms", "cells ms", "to layer",
                     "to steps"]))
                """)
        }
        let networks =
            try CellNetwork.fusible(input: input, hidden: hidden) + CellNetwork.stepped(input: input, hidden: hidden)
        for network in networks {
            let row = CellMeasurement(
                network, steps: steps, batch: batch, input: input, hidden: hidden, seconds: seconds)
            report.rows.append(row)
            if !json { Console.print(columns.line([row.network] + cells(row.inference) + cells(row.training))) }
        }
        if json { Console.print(try jsonText(report)) }
    }

    private func cells(_ pass: CellMeasurement.Pass) -> [String] {
        [
            pass.layerSeconds.map { fixed($0 * 1e3, digits: 2) } ?? "-", fixed(pass.hybridizedSeconds * 1e3, digits: 2),
            pass.toLayer.map { fixed($0, digits: 2) } ?? "-", fixed(pass.toSteps, digits: 2),
        ]
    }
}
