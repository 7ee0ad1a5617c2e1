public import BatonData
public import BatonTensor

/// A training run between two steps, as logical tensors: nothing in it depends on the number of ranks.
public struct TrainingSnapshot {
    /// The configuration of the run.
    public var configuration: TrainingConfiguration
    /// Steps done.
    public var stepsDone: Int
    /// The next window.
    public var cursor: LaneCursor
    /// Parameters under PyTorch's names.
    public var parameters: [(name: String, tensor: Tensor)]
    /// Optimiser states, `STATE.PARAMETER`, for instance `exp_avg.rnn.weight_ih_l0`.
    public var optimizer: [(name: String, tensor: Tensor)]
    /// h and, for LSTM, c before the next window: (L, B, H) each.
    public var states: [Tensor]

    /// All values at once.
    public init(
        configuration: TrainingConfiguration, stepsDone: Int, cursor: LaneCursor,
        parameters: [(name: String, tensor: Tensor)], optimizer: [(name: String, tensor: Tensor)], states: [Tensor]
    ) {
        self.configuration = configuration
        self.stepsDone = stepsDone
        self.cursor = cursor
        self.parameters = parameters
        self.optimizer = optimizer
        self.states = states
    }
}
