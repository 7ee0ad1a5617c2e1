import Baton

/// The reading of weights beside what the machine can read at most: the figure that counts where a step has too few rows
/// to keep the multipliers busy.
struct WeightReads: Encodable {
    /// See `KernelShape.weightBytesPerStep`.
    var bytesPerStep: Double
    /// See `KernelShape.workingSetBytes`.
    var workingSetBytes: Double
    var gbytesPerSecond: Double
    /// What a sweep over a buffer of the working set's size reaches, measured beside the row.
    var ceilingGBytesPerSecond: Double
    var shareOfCeiling: Double

    /// - Parameters:
    ///   - precision: how the weights are held; figures of the shape are those of float32.
    ///   - secondsPerStep: time of one step.
    ///   - ceiling: bytes per second.
    init(_ shape: KernelShape, precision: WeightPrecision, secondsPerStep: Double, ceiling: Double) {
        bytesPerStep = shape.weightBytesPerStep * Self.share(precision)
        workingSetBytes = shape.workingSetBytes * Self.share(precision)
        let rate = bytesPerStep / secondsPerStep
        gbytesPerSecond = rate * 1e-9
        ceilingGBytesPerSecond = ceiling * 1e-9
        shareOfCeiling = rate / ceiling
    }

    /// Bytes of a weight as a share of those in float32.
    static func share(_ precision: WeightPrecision) -> Double {
        switch precision {
        case .float32: 1
        case .bfloat16: 0.5
        case .int8: 0.25
        }
    }

    /// Whether reading a step's hidden weights takes longer than multiplying with them: the bytes of a weight against 2·N
    /// operations.
    ///
    /// - Parameters:
    ///   - peak: operations per second.
    ///   - ceiling: bytes per second.
    static func bound(batch: Int, precision: WeightPrecision, peak: Double, ceiling: Double) -> Bool {
        4 * share(precision) / ceiling > 2 * Double(batch) / peak
    }
}
