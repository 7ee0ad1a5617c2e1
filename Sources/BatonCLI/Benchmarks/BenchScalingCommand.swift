import ArgumentParser
import Baton
import BatonChecks

/// `baton bench scaling`: what several ranks make of one recurrent stack, by batch size.
struct BenchScalingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaling", abstract: "Measures inference of one stack divided over ranks.",
        discussion: """
            For every batch size: one rank alone; all ranks side by side with a stack each, which is the ceiling; and all \
            ranks on one stack, its layers (pp), its hidden units (shard) or, with --bidirectional, the directions of each \
            layer (dir) divided over them, windows back to back in a stream. These take turns in short rounds; medians of \
            the rounds' ratios are printed. The ceiling adds what each rank does by itself; where cores differ for a \
            while, ranks that share one window can only reach the share of the slowest, which is also given. Milliseconds are those of a window on one rank, divided over all on its own, \
            and in the stream, from its start on the first rank to its end on the last (median). The chunk of time steps \
            that travels between stages is chosen by a short probe. Start the ranks with launch/run -n 2.
            """)

    @Option(help: "Recurrent cell: rnn (tanh), lstm or gru.") var model = TrainOptions.Model.lstm
    @Option(help: "Number of recurrent layers.") var layers = 2
    @Option(help: "Hidden units per layer, and width of the input.") var hidden = 512
    @Option(help: "Time steps of a window.") var steps = 96
    @Option(help: "Batch sizes, joined by commas (default: 1,2,4,8,16,32,64).", transform: BenchScalingCommand.sizes)
    var batch = [1, 2, 4, 8, 16, 32, 64]
    @Option(help: "Time per batch size.") var seconds = 5.0
    @Option(help: "Time steps that travel together between stages; by default a short probe chooses.") var chunk: Int?
    @OptionGroup var layout: LayoutOption
    @Flag(help: "Layers of two directions; each on a rank of its own, unless --layout says something else.")
    var bidirectional = false
    @Flag(help: "Print one JSON object.") var json = false

    /// What `--json` prints.
    struct Report: Encodable {
        let processor = CPUFeatures.current.brand
        let isa = KernelSelection.active.instructionSet.rawValue
        let kernels = KernelSelection.active.backend.rawValue
        var model: String
        var layers: Int
        var bidirectional: Bool
        var hidden: Int
        var steps: Int
        var ranks: Int
        var layout: String
        var rows: [ScalingMeasurement] = []
    }

    static func sizes(_ text: String) throws -> [Int] {
        try FlagCheck.list(text, of: "--batch", limit: 100_000, example: "1,8,64")
    }

    func validate() throws {
        try FlagCheck.counts(
            ["--layers": layers, "--hidden": hidden, "--steps": steps, "--chunk": chunk], limit: 100_000)
        try FlagCheck.seconds(seconds)
        if let chunk, bidirectional || chunk > steps {
            throw ValidationError(
                bidirectional
                    ? "--chunk \(chunk): both directions need the whole window; leave it out or leave out --bidirectional."
                    : "--chunk is \(chunk), expected 1 to \(steps), the --steps of a window.")
        }
        let ranks = try LaunchEnvironment()?.size ?? 1
        let wanted = try wanted(ranks: ranks)
        guard ranks >= 2 else {
            throw ValidationError(
                "bench scaling divides a stack over 2 or more ranks, but there is 1; start with launch/run -n 2.")
        }
        guard wanted.stages <= layers else {
            throw ValidationError(
                "bench scaling cannot divide \(counted(layers, "layer")) over \(wanted.stages) stages; start fewer ranks, change --layers or give --layout, as in shard=\(ranks)."
            )
        }
        guard wanted.replicas == 1 else {
            throw ValidationError("--layout \(wanted): replicas would run stacks of their own; use pp, dir and shard.")
        }
        guard bidirectional ? wanted.shards == 1 : wanted.directions == 1 else {
            throw ValidationError(
                "--layout \(wanted): dir divides stacks of two directions (--bidirectional), shard those of one.")
        }
    }

    /// Directions over two ranks where there are two, layers over the others, unless something else is asked for.
    private func wanted(ranks: Int) throws -> ParallelLayout {
        let directions = bidirectional && ranks % 2 == 0 ? 2 : 1
        return try layout.parsed(hasDirections: true)
            ?? ParallelLayout(stages: ranks / directions, directions: directions)
    }

    func run() throws {
        let job = try ParallelJob()
        let ranks = job.communicator.size
        try job.agree(on: [
            (
                "the flags",
                "\(model) \(layers) \(hidden) \(steps) \(batch) \(seconds) \(chunk ?? 0) \(layout.layout ?? "") \(bidirectional)"
            )
        ])
        for size in batch {
            try KernelShape(
                cell: model.cell, steps: steps, batch: size, input: hidden, hidden: hidden, layers: layers,
                bidirectional: bidirectional
            ).checkMemory()
        }
        let layout = try wanted(ranks: ranks)
        let stack = RecurrentLayer.make(
            model.cell, hiddenSize: hidden, numLayers: layers, bidirectional: bidirectional, inputSize: hidden,
            prefix: "scaling_")
        stack.initialize(seed: 1)
        var report = Report(
            model: model.rawValue, layers: layers, bidirectional: bidirectional, hidden: hidden, steps: steps,
            ranks: ranks, layout: layout.description)
        let table = AlignedColumns(widths: [5, 9, 9, 9, 9, 10, 10, 5, 22, 9])
        if !json {
            Console.print(
                "\(model.rawValue) \(layers)×\(hidden)\(bidirectional ? ", both directions" : ""), T \(steps), \(layout); windows per second"
            )
            Console.print(
                table.line([
                    "batch", "one rank", "ceiling", "divided", "speed-up", "of ceiling", "of slowest", "chunk",
                    "ms one/all/stream",
                    "same bits",
                ]))
        }
        for size in batch {
            let row = try ScalingMeasurement(
                stack, layout: layout, chunk: chunk, steps: steps, batch: size, seconds: seconds,
                world: job.communicator)
            report.rows.append(row)
            guard !json else { continue }
            Console.print(
                table.line([
                    String(size), fixed(row.alone, digits: 1), fixed(row.ceiling, digits: 2) + "×",
                    fixed(row.divided, digits: 1), fixed(row.speedup, digits: 2) + "×",
                    fixed(row.shareOfCeiling, digits: 3), fixed(row.shareOfSlowest, digits: 3), String(row.chunk),
                    fixed(row.aloneMilliseconds, digits: 1) + " / " + fixed(row.dividedMilliseconds, digits: 1)
                        + " / " + fixed(row.streamMilliseconds, digits: 1),
                    row.sameBits ? "yes" : "NO",
                ]))
        }
        if json { Console.print(try jsonText(report)) }
        guard report.rows.allSatisfy(\.sameBits) else {
            throw CommandFailure("The divided stack does not have the bits of one rank; see the table.")
        }
        try job.finish()
    }
}
