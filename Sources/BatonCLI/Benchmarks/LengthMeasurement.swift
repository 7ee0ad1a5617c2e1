import Baton

/// What rows of unequal lengths cost on one backend, beside the same batch at full length.
struct LengthMeasurement: Encodable {
    /// One kind of pass, in seconds the thread had a core: a ratio of wall times would show the other programs.
    struct Pass: Encodable {
        var seconds: Double
        /// Time of the same rows, all of length T.
        var fullSeconds: Double
        /// Time over time at full length, over Σλ / (T·N): 1 is cost in proportion to the sum of the lengths.
        var costRatio: Double
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
    var kernels: String
    var lengths: String
    /// Σλ / (T·N).
    var shareOfRows: Double
    var inference: Pass
    var training: Pass

    /// Measures a shape.
    ///
    /// - Parameter seconds: time for each kind of pass; full and unequal lengths take turns in it.
    init(_ shape: KernelShape, _ distribution: LengthDistribution, backend: KernelBackend, seconds: Double) {
        let given = distribution.lengths(shape)
        let share = Double(given.reduce(0, +)) / Double(shape.steps * shape.batch)
        let unequal = KernelWorkload(shape, backend: backend, lengths: given)
        let full = KernelWorkload(shape, backend: backend)
        func measured(_ run: (KernelWorkload) -> Void) -> Pass {
            var (best, whole) = (Double.infinity, Double.infinity)
            let start = ContinuousClock.now
            repeat {
                best = min(best, BestTime(over: 0) { run(unequal) }.secondsOnCore)
                whole = min(whole, BestTime(over: 0) { run(full) }.secondsOnCore)
            } while BestTime.elapsed(since: start) < seconds
            return Pass(seconds: best, fullSeconds: whole, costRatio: best / whole / share)
        }
        self.shape = KernelShapeFile.line(shape)
        cell = shape.cell.rawValue
        steps = shape.steps
        batch = shape.batch
        input = shape.input
        hidden = shape.hidden
        layers = shape.layers
        bidirectional = shape.bidirectional
        kernels = backend.rawValue
        lengths = distribution.rawValue
        shareOfRows = share
        inference = measured { $0.infer() }
        training = measured { $0.train() }
    }
}
