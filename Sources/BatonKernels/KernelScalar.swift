/// A floating-point type the kernels compute in, with the factories of its backends.
public protocol KernelScalar: BinaryFloatingPoint, Sendable {
    /// Weights of one recurrent layer and direction.
    static func makeRecurrentWeights(_ shape: RecurrentShape, backend: KernelBackend) -> any RecurrentWeights<Self>
    /// A window of T steps and N rows over weights of the same backend. `leaves` fixes the row groups of backends
    /// whose bits depend on the shape of a product.
    static func makeRecurrentSequence(
        weights: any RecurrentWeights<Self>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan
    ) -> any RecurrentSequence<Self>
    /// A window like those of `makeRecurrentSequence`, but for training of long windows: its gates are computed again in
    /// chunks of about so many steps (see `Recomputation`), with the same bits.
    static func makeRecomputedSequence(
        weights: any RecurrentWeights<Self>, steps: Int, batch: Int, reverse: Bool, leaves: LeafPlan, chunk: Int
    ) -> any RecurrentSequence<Self>
    /// A fully connected layer.
    static func makeLinearKernel(units: Int, width: Int, backend: KernelBackend) -> any LinearKernel<Self>
}
