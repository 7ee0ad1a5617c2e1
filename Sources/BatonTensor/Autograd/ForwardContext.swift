public import BatonKernelABI
public import BatonKernels

/// What random numbers of one training step depend on: global numbers only, never the process.
public struct RandomKey: Sendable, Hashable {
    /// Seed of the run.
    public var seed: UInt64
    /// Number of the training step.
    public var step: UInt32
    /// Global number of the batch's first row (lane) in this process.
    public var firstRow: UInt32
    /// Global number of the batch's first time step within the window.
    public var firstTime: UInt32

    /// A key; the numbers default to the start of a run on one process.
    public init(seed: UInt64, step: UInt32 = 0, firstRow: UInt32 = 0, firstTime: UInt32 = 0) {
        self.seed = seed
        self.step = step
        self.firstRow = firstRow
        self.firstTime = firstTime
    }
}

/// How a forward pass runs: whether it is recorded, in training mode, and how its batch is cut.
///
/// The operations are methods of the context (`context.add(a, b)`), because it is the context that records them.
public struct ForwardContext {
    /// Records the computation for a backward pass; nil for inference.
    public var tape: Tape?
    /// Whether dropout is active. Independent of recording, as in Gluon's `record(train_mode:)`.
    public var isTraining: Bool
    /// Row groups of the batch; sums over the batch follow them.
    public var leaves: LeafPlan
    /// Called by the kernels after every time step.
    public var hook: StepHook
    /// What random numbers depend on.
    public var random: RandomKey
    /// Whether a recurrent cell has added the number of its step to `random.firstTime`; cells inside it do not again.
    public var isInsideCell = false

    /// Inference by default: no tape, no dropout.
    public init(
        tape: Tape? = nil, isTraining: Bool = false, leaves: LeafPlan, hook: StepHook = .none,
        random: RandomKey = RandomKey(seed: 0)
    ) {
        self.tape = tape
        self.isTraining = isTraining
        self.leaves = leaves
        self.hook = hook
        self.random = random
    }

    /// Inference on a batch of rows.
    public static func inference(rows: Int) -> ForwardContext { ForwardContext(leaves: .whole(rows: rows)) }

    /// Training on a batch that one process holds.
    ///
    /// - Parameter random: what masks of dropout are functions of; another `step` for every step, and another `firstRow` for
    ///   every part of a batch that is computed in parts.
    public static func training(rows: Int, tape: Tape, random: RandomKey) -> ForwardContext {
        ForwardContext(tape: tape, isTraining: true, leaves: .whole(rows: rows), random: random)
    }

    /// Whether a computation on these inputs has to be recorded.
    public func records(
        _ inputs: @autoclosure () -> [Variable], _ parameters: @autoclosure () -> [Parameter] = []
    ) -> Bool {
        tape != nil
            && (inputs().contains { $0.requiresGradient }
                || parameters().contains { $0.gradientRequirement != .null })
    }

    /// The result of an operation, recorded if one of its inputs needs a gradient. `backward` gets the gradient of
    /// the result.
    func result(
        _ name: String, _ value: Tensor, of inputs: [Variable], backward: @escaping (Tensor) -> Void
    ) -> Variable {
        let recorded = records(inputs)
        let output = Variable(value, requiresGradient: recorded)
        if recorded {
            tape?.record(
                TapeNode(
                    name: name, outputs: [output],
                    backwardData: { _ in if let gradient = output.gradient { backward(gradient) } }))
        }
        return output
    }
}
