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
            the parameters of a graph that MXNet, or baton convert, exported, and the graph is run instead of a stack.
            """)

    @OptionGroup var options: RunOptions
    @Flag(help: "Print one JSON object, which names kernel and instruction set.") var json = false

    func run() throws {
        if let launch = try LaunchEnvironment(), launch.size > 1 {
            throw ValidationError("run is the work of one process, and this job has \(launch.size); start one.")
        }
        guard let kind = options.kind else {
            let passes = try GraphPasses(options)
            try write(passes.results)
            Console.print(json ? try jsonText(passes.report) : passes.report.text)
            return
        }
        let weights = try RecurrentStackWeights(path: options.weights, cell: kind)
        try checkPrecision(weights)
        let arrays = try RunArrays(options, weights)
        let clock = ContinuousClock()
        let start = clock.now
        let passes = RunPasses(
            weights, arrays, layout: options.axes, stateClip: options.stateClip,
            precision: options.precision)
        let seconds = (clock.now - start) / .seconds(1)
        let report = try RunReport(weights, arrays, passes, axes: options.axes, seconds: seconds)
        try write(RunResults(output: passes.output, states: passes.finalStates, gradients: passes.gradients))
        Console.print(json ? try jsonText(report) : report.text)
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
                try files.stage(gradient, as: "\(folder)/\(name).npy")
            }
        }
        try files.commit()
    }
}
