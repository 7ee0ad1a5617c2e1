public import ArgumentParser
public import Baton

extension WeightPrecision: ExpressibleByArgument {}

/// `--precision`: how recurrent weights are held where nothing is trained.
struct PrecisionOption: ParsableArguments {
    @Option(help: "How the recurrent weights are held: float32 (exact), bfloat16 or int8.")
    var precision = WeightPrecision.float32

    /// - Throws: `CommandFailure` if the kernels in use have no such weights.
    func check() throws {
        guard precision == .float32 || KernelSelection.active.backend == .packed else {
            throw CommandFailure("--precision \(precision.rawValue) needs the packed kernels; unset BATON_KERNELS.")
        }
    }
}
