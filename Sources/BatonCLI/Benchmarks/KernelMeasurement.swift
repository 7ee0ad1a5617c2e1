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
        /// Nil where weights are in reduced precision, which is for inference.
        var training: Pass?

        /// Those that were measured.
        var passes: [Pass] { [inference] + (training.map { [$0] } ?? []) }
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
    /// Whether a figure is above the peak, which is that of f32: no kernel in f32 can be. The peak was measured too low,
    /// and no share of the row holds. False in reduced precision, where products of half the width may well be faster.
    var exceedsPeak: Bool
    var results: [Backend]

    /// Measures a shape.
    ///
    /// - Parameters:
    ///   - axes: order of the axes of the stack's input and output.
    ///   - precision: how the weights are held; other than float32 there is no training.
    ///   - seconds: time for each kind of pass and backend.
    init(
        _ shape: KernelShape, axes: SequenceLayout, backends: [KernelBackend], precision: WeightPrecision,
        seconds: Double
    ) {
        var peak = CoreCeilings.peak()
        let workingSet = Int(shape.workingSetBytes * WeightReads.share(precision))
        var ceiling = CoreCeilings.readBandwidth(bytes: workingSet, seconds: 0.05)
        var times: [BackendTimes] = []
        for backend in backends {
            let workload = KernelWorkload(shape, axes: axes, backend: backend, precision: precision)
            let inference = BestTime(over: seconds) { workload.infer() }
            ceiling = max(ceiling, CoreCeilings.readBandwidth(bytes: workingSet, seconds: 0.05))
            peak = max(peak, CoreCeilings.peak())
            let training = precision == .float32 ? BestTime(over: seconds) { workload.train() } : nil
            peak = max(peak, CoreCeilings.peak())
            times.append((backend, inference, training))
        }
        self.init(shape, precision: precision, times: times, peak: peak, ceiling: ceiling)
    }

    /// What was measured with one backend.
    typealias BackendTimes = (backend: KernelBackend, inference: BestTime, training: BestTime?)

    /// The figures that follow from what was measured.
    ///
    /// - Parameters:
    ///   - peak: operations per second.
    ///   - ceiling: bytes per second.
    init(
        _ shape: KernelShape, precision: WeightPrecision, times: [BackendTimes], peak: Double, ceiling: Double
    ) {
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
        weightBytes = shape.weightBytes * WeightReads.share(precision)
        peakGFlops = peak * 1e-9
        readBound = WeightReads.bound(batch: shape.batch, precision: precision, peak: peak, ceiling: ceiling)
        func pass(_ factor: Double, _ time: BestTime) -> Pass {
            Pass(operations: factor * operations, seconds: time.seconds, shareOnCore: time.shareOnCore, peak: peak)
        }
        results = times.map { time in
            Backend(
                kernels: time.backend.rawValue, inference: pass(1, time.inference),
                reads: WeightReads(
                    shape, precision: precision, secondsPerStep: time.inference.seconds / Double(shape.steps),
                    ceiling: ceiling),
                training: time.training.map { pass(3, $0) })
        }
        exceedsPeak = precision == .float32 && results.contains { $0.passes.contains { $0.shareOfPeak > 1 } }
    }

    /// Whether other programs had the core for more than 2 % of a repetition that stands in the row.
    var isDisturbed: Bool {
        results.contains { $0.passes.contains { $0.shareOnCore < 0.98 } }
    }
}
