import ArgumentParser
import Baton

/// `baton run`: one recurrent stack on arrays, forward and, if asked, backward.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs one recurrent stack on arrays, forward and backward.",
        discussion: """
            Layers, directions, sizes, projection and element type (float32, float64) are read from the weights. With --grad-output \
            the gradients of Σ y·dy + Σ hn·dhn + Σ cn·dcn are written to the folder --grad-dir: input.npy, state.npy, \
            cell_state.npy, and one file per tensor of the weights, under its name there. With --symbol the weights are \
            the parameters of a graph that MXNet, or baton convert, exported, and the graph is run instead of a stack. \
            Several ranks (launch/run -n N) divide the directions, layers, hidden units or rows of a stack as --layout says \
            (without it directions before layers, layers before rows, and rows, if there are enough, before hidden units); every rank reads the files, rank 0 writes, and \
            what it writes is what one rank would.
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var layout: LayoutOption
    @Flag(help: "Print one JSON object, which names kernel and instruction set.") var json = false

    func validate() throws {
        let ranks = (try? LaunchEnvironment())?.size ?? 1
        _ = try layout.parsed(hasDirections: true)
        guard ranks == 1 || options.kind != nil else {
            throw ValidationError("--symbol runs a graph in one process, and this job has \(ranks); start one.")
        }
    }

    func run() throws {
        guard let kind = options.kind else {
            let passes = try GraphPasses(options)
            try write(passes.results)
            try Console.print(passes.report, json: json)
            return
        }
        let job = try ParallelJob()
        let weights = try RecurrentStackWeights(path: options.weights, cell: kind)
        try checkPrecision(weights)
        let arrays = try RunArrays(options, weights)
        let ranks = job.communicator.size
        if ranks > 1 { try job.agree(on: try options.evidence + [("--layout", layout.layout ?? "")]) }
        let parallel =
            try layout.parsed(hasDirections: true)
            ?? simplestLayout(ranks: ranks, weights, batch: arrays.batch)
        let clock = ContinuousClock()
        let start = clock.now
        let results: RunResults? =
            ranks == 1
            ? RunResults(weights, arrays, options)
            : try layout.fitting(chosen: parallel) {
                try RunResults(weights, arrays, options, layout: parallel, world: job.communicator)
            }
        // Rank 0 has them.
        if let results {
            let seconds = (clock.now - start) / .seconds(1)
            let report = try RunReport(weights, arrays, results, options, layout: parallel, seconds: seconds)
            try write(results)
            try Console.print(report, json: json)
        }
        try job.finish()
    }

    /// Directions are divided before layers, and layers before rows: the ranks then need no rows to share the work. Where
    /// there are too few rows, hidden units are, if they can be.
    private func simplestLayout(ranks: Int, _ weights: RecurrentStackWeights, batch: Int) -> ParallelLayout {
        let pairs = weights.directionCount == 2 && ranks % 2 == 0 ? 2 : 1
        let stages = (1...weights.layerCount).last { ranks / pairs % $0 == 0 } ?? 1
        let rest = ranks / pairs / stages
        if rest > LeafPlan.leafCount(rows: batch), weights.directionCount == 1, weights.dtype == .float32,
            KernelSelection.active.backend == .packed
        {
            return ParallelLayout(stages: stages, shards: rest)
        }
        return ParallelLayout(replicas: rest, stages: stages, directions: pairs)
    }

    private func checkPrecision(_ weights: RecurrentStackWeights) throws {
        guard options.precision != .float32 else { return }
        guard weights.dtype == .float32, KernelSelection.active.backend == .packed else {
            throw CommandFailure(
                "--precision \(options.precision.rawValue) is for float32 weights on the packed kernels, and these are \(weights.dtype.rawValue) on \(weights.dtype == .float32 ? "OpenBLAS; unset BATON_KERNELS" : "OpenBLAS; give float32 weights")."
            )
        }
    }

    private func write(_ results: RunResults) throws {
        var files = OutputFiles()
        defer { files.discard() }
        try files.stage(results.output, as: options.output)
        for (tensor, path) in zip(results.states, [options.stateOut, options.cellStateOut]) {
            if let path { try files.stage(tensor, as: path) }
        }
        if let folder = options.gradDir {
            try files.makeFolder(folder)
            for (name, gradient) in results.gradients {
                guard !name.contains("/") else {
                    throw CommandFailure(
                        "The tensor name \(name) has a slash, so its gradient cannot be a file of that name; rename it."
                    )
                }
                let path = "\(folder)/\(name).npy"
                if let reader = options.reader(of: path) {
                    throw CommandFailure(
                        "The gradient \(path) would replace what \(reader) reads; choose another --grad-dir.")
                }
                try files.stage(gradient, as: path)
            }
        }
        try files.commit()
    }
}
