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
    /// Optimiser states, `STATE.PARAMETER`, for instance `first_moment.rnn.weight_ih_l0`.
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

extension [(name: String, tensor: Tensor)] {
    /// The tensor of a name and shape, float32.
    ///
    /// - Throws: `EngineError` naming the tensor that is missing or another.
    package func tensor(_ name: String, shape: [Int]) throws(EngineError) -> Tensor {
        guard let found = first(where: { $0.name == name })?.tensor else {
            throw EngineError("The checkpoint has no tensor \(name), expected shape \(shape).")
        }
        guard found.shape == shape, found.dtype == .float32 else {
            throw EngineError(
                "The checkpoint's \(name) is \(found.shape) \(found.dtype.rawValue) where \(shape) float32 is expected."
            )
        }
        return found
    }
}
