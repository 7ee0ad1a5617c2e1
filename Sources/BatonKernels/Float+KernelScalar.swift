extension Float: KernelScalar {
    /// Weights in the form of the backend.
    public static func makeRecurrentWeights(
        _ shape: RecurrentShape, backend: KernelBackend
    ) -> any RecurrentWeights<Float> {
        switch backend {
        case .packed:
            PackedRecurrentWeights(
                shape, kernels: KernelSelection.activeKernels, narrow: KernelSelection.narrowKernels)
        case .blas: BLASRecurrentWeights<Float>(shape)
        }
    }

    /// A window over weights of either backend.
    public static func makeRecurrentSequence(
        weights: any RecurrentWeights<Float>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan
    ) -> any RecurrentSequence<Float> {
        if let packed = weights as? PackedRecurrentWeights {
            return PackedRecurrentSequence(weights: packed, steps: steps, batch: batch, reverse: reverse)
        }
        guard let blas = weights as? BLASRecurrentWeights<Float> else {
            fatalError("makeRecurrentSequence: weights of an unknown backend")
        }
        return BLASRecurrentSequence<Float>(weights: blas, steps: steps, batch: batch, reverse: reverse, leaves: leaves)
    }

    /// A window over weights of either backend that computes its gates again; reverse ones on the packed kernels keep
    /// them (see `Recomputation`).
    public static func makeRecomputedSequence(
        weights: any RecurrentWeights<Float>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan, chunk: Int
    ) -> any RecurrentSequence<Float> {
        if weights is PackedRecurrentWeights, reverse {
            return makeRecurrentSequence(weights: weights, steps: steps, batch: batch, reverse: true, leaves: leaves)
        }
        return weights is PackedRecurrentWeights
            ? recomputedSequence(
                weights, PackedRecurrentSequence.self, steps: steps, batch: batch, reverse: reverse, leaves: leaves,
                chunk: chunk)
            : recomputedSequence(
                weights, BLASRecurrentSequence<Float>.self, steps: steps, batch: batch, reverse: reverse,
                leaves: leaves, chunk: chunk)
    }

    /// A fully connected layer on the backend.
    public static func makeLinearKernel(
        units: Int, width: Int, backend: KernelBackend
    ) -> any LinearKernel<Float> {
        switch backend {
        case .packed:
            PackedLinearKernel(
                units: units, width: width, kernels: KernelSelection.activeKernels,
                narrow: KernelSelection.narrowKernels)
        case .blas: BLASLinearKernel<Float>(units: units, width: width)
        }
    }
}
