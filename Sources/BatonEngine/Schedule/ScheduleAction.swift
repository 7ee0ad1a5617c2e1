import BatonChecks

/// One thing a pipeline stage does in a step: the forward pass or the data half of the backward pass of one chunk of
/// time of one micro-batch, its share of the output layer, the weight gradients of a micro-batch, or the sum of gradients
/// over replicas.
///
/// Printed `2F0.3`: stage 2, forward, micro-batch 0, chunk 3; `2O0.3`: its rows of the output layer; `2W0`: weight
/// gradients of micro-batch 0; `2S`: the sum.
public struct ScheduleAction: Sendable, Hashable, CustomStringConvertible {
    /// What is done.
    public enum Kind: String, Sendable, CaseIterable {
        /// Activations of one chunk.
        case forward = "F"
        /// Gradients of activations of one chunk.
        case backward = "B"
        /// Gradients of the stage's parameters over the whole window: within a leaf they are one chain over all its
        /// steps, so they are not cut into chunks.
        case weightGradient = "W"
        /// Sum of the stage's gradients over all micro-batches and replicas.
        case gradientSum = "S"
        /// Logits, loss and the gradient of h of the stage's rows of one chunk, where all stages run the output layer.
        case output = "O"
    }

    /// What is done.
    public var kind: Kind
    /// The stage that does it.
    public var stage: Int
    /// Micro-batch; 0 for a gradient sum.
    public var microBatch: Int
    /// Chunk of time, ascending in time; 0 for weight gradients and sums, which have none.
    public var chunk: Int

    /// An action by its parts.
    public init(_ kind: Kind, stage: Int, microBatch: Int = 0, chunk: Int = 0) {
        self.kind = kind
        self.stage = stage
        self.microBatch = microBatch
        self.chunk = chunk
    }

    /// The action without its stage, as the grid prints it.
    var label: String {
        switch kind {
        case .forward, .backward, .output: "\(kind.rawValue)\(microBatch).\(chunk)"
        case .weightGradient: "W\(microBatch)"
        case .gradientSum: "S"
        }
    }

    /// Stage and label.
    public var description: String { "\(stage)\(label)" }
}

/// The units a schedule is made of.
public struct ScheduleShape: Sendable, Hashable {
    /// D, copies of the pipeline that share the batch.
    public var replicas: Int
    /// P, stages of a pipeline.
    public var stages: Int
    /// M, parts of a replica's batch.
    public var microBatches: Int
    /// K, parts of a window in time.
    public var chunks: Int
    /// Whether there are backward passes; an inference schedule has forward actions only.
    public var isTraining: Bool
    /// Whether every stage runs the output layer for a part of the rows, as actions of their own: h of a chunk goes from
    /// the last stage to the others, its gradient back.
    public var spreadsOutput = false

    /// A shape; every count is at least 1.
    public init(stages: Int, microBatches: Int = 1, chunks: Int = 1, replicas: Int = 1, isTraining: Bool = true) {
        require(
            stages > 0 && microBatches > 0 && chunks > 0 && replicas > 0,
            "ScheduleShape: expected counts of at least 1, got \(stages) stages, \(microBatches) micro-batches, \(chunks) chunks, \(replicas) replicas"
        )
        self.stages = stages
        self.microBatches = microBatches
        self.chunks = chunks
        self.replicas = replicas
        self.isTraining = isTraining
    }

    /// Into how many chunks of time a window of T ≥ 1 steps is best cut.
    ///
    /// The bubble of a wavefront is (P − 1)/1.5 chunks of K: 2 % for two stages at 32. Down to chunks of two steps of
    /// eight rows the kernels take no longer for a window; chunks of one step are only for short windows.
    static func chunks(stages: Int, steps: Int) -> Int {
        stages == 1 ? 1 : min(16 * stages, max(steps / 2, min(steps, 8 * stages)))
    }

    /// Number of ranks, D·P.
    public var rankCount: Int { replicas * stages }
    /// Stage of a rank; ranks of one pipeline adjoin.
    public func stage(ofRank rank: Int) -> Int { rank % stages }

    /// Actions of one rank: 2·M·K + M, one sum where there are replicas and M·K more where the output layer is spread;
    /// M·K without training.
    public var actionCount: Int {
        let forward = microBatches * chunks
        guard isTraining else { return forward }
        return 2 * forward + microBatches + (replicas > 1 ? 1 : 0) + (spreadsOutput ? forward : 0)
    }

    /// Numbers that `index(of:)` gives out, those of actions the shape lacks included.
    var indexCount: Int { (spreadsOutput ? 3 : 2) * microBatches * chunks + microBatches + 1 }

    /// A number for each action of a stage, dense from 0; nil for an action that is not in the shape.
    func index(of action: ScheduleAction) -> Int? {
        let (m, k) = (action.microBatch, action.chunk)
        let units = microBatches * chunks
        guard (0..<microBatches).contains(m) else { return nil }
        switch action.kind {
        case .forward: return (0..<chunks).contains(k) ? m * chunks + k : nil
        case .backward: return isTraining && (0..<chunks).contains(k) ? units + m * chunks + k : nil
        case .weightGradient: return isTraining && k == 0 ? 2 * units + m : nil
        case .gradientSum: return isTraining && replicas > 1 && m == 0 && k == 0 ? 2 * units + microBatches : nil
        case .output:
            return isTraining && spreadsOutput && (0..<chunks).contains(k)
                ? 2 * units + microBatches + 1 + m * chunks + k : nil
        }
    }

    /// The actions of the own stage that must have ended before an action may begin.
    func localNeeds(of action: ScheduleAction) -> [ScheduleAction] {
        func same(_ kind: ScheduleAction.Kind, _ microBatch: Int, _ chunk: Int) -> ScheduleAction {
            ScheduleAction(kind, stage: action.stage, microBatch: microBatch, chunk: chunk)
        }
        let (m, k) = (action.microBatch, action.chunk)
        switch action.kind {
        case .forward: return k > 0 ? [same(.forward, m, k - 1)] : []
        case .backward:
            return (k + 1 < chunks ? [same(.backward, m, k + 1)] : [same(.forward, m, chunks - 1)])
                + (spreadsOutput && action.stage + 1 == stages ? [same(.output, m, k)] : [])
        case .output:
            // The loss of a leaf is one sum over its steps, so its chunks come in their order.
            return (k > 0 ? [same(.output, m, k - 1)] : []) + (action.stage + 1 == stages ? [same(.forward, m, k)] : [])
        case .weightGradient: return [same(.backward, m, 0)] + (spreadsOutput ? [same(.output, m, chunks - 1)] : [])
        case .gradientSum: return (0..<microBatches).map { same(.weightGradient, $0, 0) }
        }
    }

    /// The action of a neighbouring stage whose result an action waits for.
    func message(neededBy action: ScheduleAction) -> ScheduleAction? {
        var source = action
        switch action.kind {
        case .forward where action.stage > 0: source.stage -= 1
        case .backward where action.stage + 1 < stages: source.stage += 1
        default: return nil
        }
        return source
    }

    /// The actions of other stages than the neighbours whose results an action of a spread output layer waits for: h of the
    /// last stage, and on the last stage the gradients of all others.
    func outputMessages(neededBy action: ScheduleAction) -> [ScheduleAction] {
        guard spreadsOutput else { return [] }
        var source = action
        switch action.kind {
        case .output where action.stage + 1 < stages:
            (source.kind, source.stage) = (.forward, stages - 1)
            return [source]
        case .backward where action.stage + 1 == stages:
            return (0..<stages - 1).map {
                ScheduleAction(.output, stage: $0, microBatch: source.microBatch, chunk: source.chunk)
            }
        default: return []
        }
    }

    /// The stage that waits for the result of an action.
    func receiver(of action: ScheduleAction) -> Int? {
        switch action.kind {
        case .forward where action.stage + 1 < stages: action.stage + 1
        case .backward where action.stage > 0: action.stage - 1
        default: nil
        }
    }
}
