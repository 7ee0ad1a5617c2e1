import Baton

/// The latency of one shape.
struct LatencyMeasurement: Encodable {
    /// The shape as a line of a shape file.
    var shape: String
    var cell: String
    /// Steps of a call.
    var steps: Int
    var batch: Int
    var input: Int
    var hidden: Int
    var layers: Int
    var precision: String
    /// See `LatencyWorkload.relativeError`.
    var relativeError: Double
    var calls: Int
    /// Of a call divided by its steps.
    var microsecondsPerStep: Percentiles
    /// At the median.
    var reads: WeightReads
    /// Operations of the products over the median time.
    var gflops: Double
    /// Part of the measured time in which the thread really ran.
    var shareOnCore: Double

    /// The most calls that are timed.
    private static let callLimit = 1_000_000

    /// Measures a shape for so many seconds, at least a hundred calls.
    init(_ shape: KernelShape, precision: WeightPrecision, seconds: Double) {
        let workingSet = Int(shape.workingSetBytes * WeightReads.share(precision))
        var ceiling = CoreCeilings.readBandwidth(bytes: workingSet)
        let workload = LatencyWorkload(shape, precision: precision)
        // Weights are packed and workspaces taken in the first calls.
        for _ in 0..<10 { workload.step() }
        var times: [Double] = []
        times.reserveCapacity(1 << 16)
        let coreStart = BestTime.coreSeconds()
        let start = ContinuousClock.now
        var last = start
        while times.count < 100 || ((last - start) / .seconds(1) < seconds && times.count < Self.callLimit) {
            workload.step()
            let now = ContinuousClock.now
            times.append((now - last) / .microseconds(1) / Double(shape.steps))
            last = now
        }
        shareOnCore = min(1, (BestTime.coreSeconds() - coreStart) / max((last - start) / .seconds(1), 1e-9))
        ceiling = max(ceiling, CoreCeilings.readBandwidth(bytes: workingSet))
        self.shape = KernelShapeFile.line(shape)
        cell = shape.cell.rawValue
        steps = shape.steps
        batch = shape.batch
        input = shape.input
        hidden = shape.hidden
        layers = shape.layers
        self.precision = precision.rawValue
        relativeError = workload.relativeError()
        calls = times.count
        let percentiles = Percentiles(times)
        microsecondsPerStep = percentiles
        reads = WeightReads(
            shape, precision: precision, secondsPerStep: percentiles.p50 * 1e-6, ceiling: ceiling)
        gflops = shape.forwardOperations / (percentiles.p50 * Double(shape.steps)) * 1e-3
    }
}
