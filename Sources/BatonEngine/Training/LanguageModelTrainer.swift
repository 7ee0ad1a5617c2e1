public import BatonComm
public import BatonData
import BatonKernelABI
import BatonKernels
public import BatonNN
public import BatonTensor

/// Trains a language model by truncated backpropagation through time over contiguous lanes of text, data parallel.
///
/// Every rank holds whole leaves of lanes and their recurrent state. Losses, norms and parameters have the same bits
/// for any number of ranks. All methods are collective: every rank calls them in the same order.
public final class LanguageModelTrainer {
    /// The configuration of the run.
    public let configuration: TrainingConfiguration
    /// The model being trained.
    public let model: LanguageModel
    /// Flat memory of parameters and gradients.
    public let arena: ParameterArena
    /// Applies the gradients.
    public let optimizer: any Optimizer
    /// Lanes of this rank.
    public let share: RankShare
    /// Steps done.
    public private(set) var stepsDone = 0
    /// The next window to train on.
    public private(set) var cursor = LaneCursor()
    /// Recurrent states of this rank's lanes before the next window.
    private var states: [Variable]

    private let communicator: any Communicator
    private let windows: LaneWindows
    private let reduction: DataParallelReduction
    private let lossSum: GlobalSum
    private let tape = Tape()
    private let inputs: Tensor
    private let targets: Tensor

    /// Sets up the run; every rank builds the same initial parameters.
    ///
    /// - Throws: `EngineError` if a figure is out of range or there are more ranks than leaves, `DataError` if the text
    ///   is too short.
    public init(
        _ configuration: TrainingConfiguration, tokens: [Int32], communicator: any Communicator
    ) throws {
        try configuration.check()
        guard communicator.size <= configuration.leafCount else {
            throw EngineError(
                "\(communicator.size) ranks do not fit a batch of \(configuration.batch) lanes, which has \(configuration.leafCount) leaves; use at most \(configuration.leafCount) ranks or more lanes (--batch)."
            )
        }
        self.configuration = configuration
        self.communicator = communicator
        windows = try LaneWindows(
            tokens: tokens, lanes: configuration.batch, steps: configuration.stepsPerWindow, tail: .dropped)
        share = RankShare(
            lanes: configuration.batch, leafCount: configuration.leafCount, rank: communicator.rank,
            size: communicator.size)
        model = LanguageModel(configuration.model, seed: configuration.seed)
        arena = ParameterArena(model.parameters.reversed(), subtreeCount: share.leaves.subtrees.count)
        optimizer = configuration.makeOptimizer(arena)
        reduction = DataParallelReduction(arena, leafCount: configuration.leafCount, communicator: communicator)
        lossSum = GlobalSum(leafCount: configuration.leafCount, communicator: communicator)
        states = model.beginState(batchSize: share.lanes.count)
        inputs = Tensor(zeros: [configuration.stepsPerWindow, share.lanes.count], dtype: .int32)
        targets = Tensor(zeros: [configuration.stepsPerWindow, share.lanes.count], dtype: .int32)
        let reduction = reduction
        tape.gradientReady = { reduction.ready($0) }
    }

    /// Windows of one epoch.
    public var windowsPerEpoch: Int { windows.windowsPerEpoch }

    /// One step on the next window. Collective.
    ///
    /// - Throws: `CommError` of the transport, `NNError` if the gradient is not finite (on all ranks alike; the
    ///   parameters are then untouched).
    public func step() throws -> StepMetrics {
        var watch = StopWatch()
        var times = StepTimes()
        if cursor.window == 0 { states = model.beginState(batchSize: share.lanes.count) }
        var loss: CrossEntropy?
        var totals = LeafTotals(lossSum: 0, tokenCount: 0)
        var norm = 0.0
        for action in TrainingAction.dataParallel {
            switch action {
            case .forward: loss = forward()
            case .backward:
                if let seed = loss?.seed { tape.backward(from: [seed], hook: reduction.hook) }
            case .combineGradients:
                try reduction.finish()
                totals = try lossSum.combine(
                    zip(loss?.leafSums ?? [], loss?.leafCounts ?? []).map {
                        LeafTotals(lossSum: $0, tokenCount: $1)
                    })
            case .update: norm = try update()
            }
            times.add(watch.lap(), to: action)
        }
        stepsDone += 1
        cursor.advance(windowsPerEpoch: windows.windowsPerEpoch)
        let hash = communicator.rank == 0 ? ParameterHash.hash(arena.slots.map(\.parameter)) : nil
        times.hash = watch.lap()
        return StepMetrics(
            step: stepsDone, loss: totals.lossSum / Double(totals.tokenCount), gradientNorm: norm,
            parameterHash: hash, tokens: totals.tokenCount,
            rowsThisRank: share.lanes.count,
            seconds: watch.total, times: times)
    }

    private func forward() -> CrossEntropy {
        windows.fill(window: cursor.window, lanes: share.lanes, inputs: inputs, targets: targets)
        arena.beginStep()
        let context = ForwardContext(
            tape: tape, isTraining: true, leaves: share.leaves,
            random: RandomKey(
                seed: configuration.seed, step: UInt32(stepsDone), firstRow: UInt32(share.lanes.lowerBound)))
        let (logits, final) = model(inputs, states: states, context)
        // Detached: the next window starts from the values, without a way back.
        states = final.map { Variable($0.value) }
        let count = configuration.batch * configuration.stepsPerWindow
        return context.softmaxCrossEntropy(logits, targets: targets, gradientScale: 1 / Double(count))
    }

    private func update() throws -> Double {
        let total = arena.gradients[0]
        let norm = try GradientNorm(arena, gradient: total)
        optimizer.learningRate = configuration.learningRate(step: stepsDone)
        optimizer.step(
            gradient: total, gradientScale: configuration.clip.map { norm.clippingFactor(maximum: $0) } ?? 1)
        return norm.value
    }

    /// Everything needed to continue, with the states of all lanes. Collective; every rank gets the same.
    ///
    /// Parameters and optimiser states share memory with the trainer: use the snapshot before the next step.
    public func snapshot() throws -> TrainingSnapshot {
        let handoff = StateHandoff(lanes: configuration.batch, leafCount: configuration.leafCount)
        var global: [Tensor] = []
        for state in states { global.append(try handoff.gather(state.value, on: communicator)) }
        var optimizerStates: [(name: String, tensor: Tensor)] = []
        for (name, parameter) in model.pyTorchNames {
            for state in optimizer.state(for: parameter) {
                optimizerStates.append((state.name + "." + name, state.values))
            }
        }
        return TrainingSnapshot(
            configuration: configuration, stepsDone: stepsDone, cursor: cursor,
            parameters: model.pyTorchNames.map { ($0.name, $0.parameter.data) }, optimizer: optimizerStates,
            states: global)
    }

    /// Continues from a snapshot, also one of another number of ranks. Not collective.
    ///
    /// - Throws: `EngineError` naming the first tensor that is missing or has another shape, `DataError` if the
    ///   cursor is not in the text.
    public func restore(_ snapshot: TrainingSnapshot) throws {
        let stateShape = [configuration.model.layers, configuration.batch, configuration.model.hidden]
        guard snapshot.states.count == states.count,
            snapshot.states.allSatisfy({ $0.shape == stateShape && $0.dtype == .float32 })
        else {
            throw EngineError(
                "The checkpoint holds states \(snapshot.states.map(\.shape)) where \(states.count) of shape \(stateShape) are expected; resume with the model and batch it was made with."
            )
        }
        try snapshot.cursor.check(windowsPerEpoch: windows.windowsPerEpoch)
        var moves: [(source: Tensor, target: Tensor)] = []
        func match(_ name: String, _ target: Tensor, in tensors: [(name: String, tensor: Tensor)]) throws(EngineError) {
            guard let found = tensors.first(where: { $0.name == name })?.tensor else {
                throw EngineError("The checkpoint has no tensor \(name), expected shape \(target.shape).")
            }
            guard found.shape == target.shape, found.dtype == target.dtype else {
                throw EngineError(
                    "The checkpoint's \(name) is \(found.shape) \(found.dtype.rawValue) where \(target.shape) \(target.dtype.rawValue) is expected."
                )
            }
            moves.append((found, target))
        }
        for (name, parameter) in model.pyTorchNames {
            try match(name, parameter.data, in: snapshot.parameters)
            for state in optimizer.state(for: parameter) {
                try match(state.name + "." + name, state.values, in: snapshot.optimizer)
            }
        }
        for (source, target) in moves { target.copyElements(from: source) }
        arena.markChanged()
        optimizer.resume(stepCount: snapshot.stepsDone)
        stepsDone = snapshot.stepsDone
        cursor = snapshot.cursor
        let handoff = StateHandoff(lanes: configuration.batch, leafCount: configuration.leafCount)
        states = snapshot.states.map {
            Variable(handoff.part(of: $0, rank: communicator.rank, size: communicator.size))
        }
    }
}
