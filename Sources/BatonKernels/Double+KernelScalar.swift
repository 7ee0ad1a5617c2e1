/// f64 always runs on OpenBLAS, whichever backend is selected: the packed lane kernels are f32.
extension Double: KernelScalar {
    /// Weights for OpenBLAS, the one backend of f64.
    public static func makeRecurrentWeights(
        _ shape: RecurrentShape, backend: KernelBackend
    ) -> any RecurrentWeights<Double> {
        BLASRecurrentWeights<Double>(shape)
    }

    /// A window on OpenBLAS.
    public static func makeRecurrentSequence(
        weights: any RecurrentWeights<Double>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan
    ) -> any RecurrentSequence<Double> {
        guard let weights = weights as? BLASRecurrentWeights<Double> else {
            fatalError("Double.makeRecurrentSequence: weights made by \(type(of: weights))")
        }
        return BLASRecurrentSequence(
            weights: weights, steps: steps, batch: batch, reverse: reverse, leaves: leaves)
    }

    /// A window on OpenBLAS that computes its gates again.
    public static func makeRecomputedSequence(
        weights: any RecurrentWeights<Double>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan, chunk: Int
    ) -> any RecurrentSequence<Double> {
        recomputedSequence(
            weights, BLASRecurrentSequence<Double>.self, steps: steps, batch: batch, reverse: reverse, leaves: leaves,
            chunk: chunk)
    }

    /// A fully connected layer on OpenBLAS.
    public static func makeLinearKernel(
        units: Int, width: Int, backend: KernelBackend
    ) -> any LinearKernel<Double> {
        BLASLinearKernel<Double>(units: units, width: width)
    }
}
