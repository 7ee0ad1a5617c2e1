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
    }

    /// One backend.
    struct Backend: Encodable {
        var kernels: String
        var inference: Pass
        /// Of inference.
        var reads: WeightReads
        var training: Pass
    }

    /// The shape as a line of a shape file.
    var shape: String
    var cell: String
    var steps: Int
    var batch: Int
    var input: Int
    var hidden: Int
    var layers: Int
    var bidirectional: Bool
    /// Of one inference pass.
    var operations: Double
    var weightBytes: Double
    /// The highest peak measured before, between and after the passes of this row: machines that are shared or change
    /// their clock drift, and a peak of another moment would flatter or blame.
    var peakGFlops: Double
    /// Whether reading bounds an inference step, see `WeightReads`.
    var readBound: Bool
    /// Whether a figure is above the peak. No kernel can be: the peak was measured too low, and no share of the row holds.
    var exceedsPeak: Bool
    var results: [Backend]

    /// Measures a shape.
    ///
    /// - Parameters:
    ///   - axes: order of the axes of the stack's input and output.
    ///   - seconds: time for each kind of pass and backend.
    init(_ shape: KernelShape, axes: SequenceLayout, backends: [KernelBackend], seconds: Double) {
        var peak = CoreCeilings.peak()
        let workingSet = Int(shape.workingSetBytes)
        var ceiling = CoreCeilings.readBandwidth(bytes: workingSet, seconds: 0.05)
        var times: [BackendTimes] = []
        for backend in backends {
            let workload = KernelWorkload(shape, axes: axes, backend: backend)
            let inference = BestTime(over: seconds) { workload.infer() }
            ceiling = max(ceiling, CoreCeilings.readBandwidth(bytes: workingSet, seconds: 0.05))
            peak = max(peak, CoreCeilings.peak())
            let training = BestTime(over: seconds) { workload.train() }
            peak = max(peak, CoreCeilings.peak())
            times.append((backend, inference, training))
        }
        self.init(shape, times: times, peak: peak, ceiling: ceiling)
    }

    /// What was measured with one backend.
    typealias BackendTimes = (backend: KernelBackend, inference: BestTime, training: BestTime)

    /// The figures that follow from what was measured.
    ///
    /// - Parameters:
    ///   - peak: operations per second.
    ///   - ceiling: bytes per second.
    init(_ shape: KernelShape, times: [BackendTimes], peak: Double, ceiling: Double) {
        self.shape = KernelShapeFile.line(shape)
        cell = shape.cell.rawValue
        steps = shape.steps
        batch = shape.batch
        input = shape.input
        hidden = shape.hidden
        layers = shape.layers
        bidirectional = shape.bidirectional
        let operations = shape.forwardOperations
        self.operations = operations
        weightBytes = shape.weightBytes
        peakGFlops = peak * 1e-9
        readBound = WeightReads.bound(batch: shape.batch, peak: peak, ceiling: ceiling)
        func pass(_ factor: Double, _ time: BestTime) -> Pass {
            Pass(operations: factor * operations, seconds: time.seconds, shareOnCore: time.shareOnCore, peak: peak)
        }
        results = times.map { time in
            Backend(
                kernels: time.backend.rawValue, inference: pass(1, time.inference),
                reads: WeightReads(
                    shape, secondsPerStep: time.inference.seconds / Double(shape.steps), ceiling: ceiling),
                training: pass(3, time.training))
        }
        exceedsPeak = results.contains { max($0.inference.shareOfPeak, $0.training.shareOfPeak) > 1 }
    }

    /// Whether other programs had the core for more than 2 % of a repetition that stands in the row.
    var isDisturbed: Bool {
        results.contains { min($0.inference.shareOnCore, $0.training.shareOnCore) < 0.98 }
    }
}
