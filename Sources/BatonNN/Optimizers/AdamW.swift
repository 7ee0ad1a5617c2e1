public import BatonTensor

/// Adam with decoupled weight decay: w ← (1 − ηλ)w, then Adam's step without λ.
///
/// Source: Loshchilov & Hutter 2019, arXiv:1711.05101, in the form of PyTorch `torch.optim.AdamW`.
public final class AdamW: Adam {
    /// Moments at zero; PyTorch's defaults.
    public init(
        _ arena: ParameterArena, learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 1e-2
    ) {
        super.init(
            arena, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
            weightDecay: weightDecay, decouplesDecay: true)
    }
}
