import Baton

/// The figures of one shape: every backend, beside the peak of the same moments.
struct KernelMeasurement: Encodable {
    /// One kind of pass.
    struct Pass: Encodable {
        var seconds: Double
        var gflops: Double
        /// Of the row's peak.
        var shareOfPeak: Double
        /// See `BestTime`.
        var shareOnCore: Double

        /// - Parameters:
        ///   - operations: floating-point operations of the pass.
        ///   - peak: operations per second.
        init(operations: Double, seconds: Double, shareOnCore: Double, peak: Double) {
            self.seconds = seconds
            self.shareOnCore = shareOnCore
            gflops = operations / seconds * 1e-9
            shareOfPeak = operations / seconds / peak
        }

        enum CodingKeys: String, CodingKey {
            case seconds, gflops
            case shareOfPeak = "share_of_peak"
            case shareOnCore = "share_on_core"
        }
    }

    /// One backend.
    struct Backend: Encodable {
        var kernels: String
        var inference: Pass
        var training: Pass
    }

    var cell: String
    var steps: Int
    var batch: Int
    var input: Int
    var hidden: Int
    /// The highest peak measured before, between and after the passes of this row: machines that are shared or change
    /// their clock drift, and a peak of another moment would flatter or blame.
    var peakGFlops: Double
    var results: [Backend]

    enum CodingKeys: String, CodingKey {
        case cell, steps, batch, input, hidden, results
        case peakGFlops = "peak_gflops"
    }

    /// Measures a shape.
    ///
    /// - Parameter seconds: time for each kind of pass and backend.
    init(_ shape: KernelShape, backends: [KernelBackend], seconds: Double) {
        var peak = CoreCeilings.peak()
        var times: [(backend: KernelBackend, inference: BestTime, training: BestTime)] = []
        for backend in backends {
            let workload = KernelWorkload(shape, backend: backend)
            let inference = BestTime(over: seconds) { workload.infer() }
            peak = max(peak, CoreCeilings.peak())
            let training = BestTime(over: seconds) { workload.train() }
            peak = max(peak, CoreCeilings.peak())
            times.append((backend, inference, training))
        }
        cell = shape.cell.rawValue
        steps = shape.steps
        batch = shape.batch
        input = shape.input
        hidden = shape.hidden
        peakGFlops = peak * 1e-9
        let operations = shape.forwardOperations
        func pass(_ factor: Double, _ time: BestTime) -> Pass {
            Pass(operations: factor * operations, seconds: time.seconds, shareOnCore: time.shareOnCore, peak: peak)
        }
        results = times.map { time in
            Backend(
                kernels: time.backend.rawValue, inference: pass(1, time.inference), training: pass(3, time.training))
        }
    }

    /// Whether other programs had the core for more than 2 % of a repetition that stands in the row.
    var isDisturbed: Bool {
        results.contains { min($0.inference.shareOnCore, $0.training.shareOnCore) < 0.98 }
    }
}
