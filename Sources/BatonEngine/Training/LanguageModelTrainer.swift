import BatonChecks
public import BatonComm
public import BatonData
public import BatonKernels
public import BatonNN
public import BatonTensor

/// Trains a language model by truncated backpropagation through time over contiguous lanes of text, on the ranks of a
/// layout: replicas divide the lanes, pipeline stages the layers, shards the hidden units of each layer.
///
/// Losses, norms and parameters have the same bits in every layout. All methods are collective: every rank calls them
/// in the same order.
public final class LanguageModelTrainer {
    /// The configuration of the run.
    public let configuration: TrainingConfiguration
    /// The model being trained; on a pipeline stage its part of it.
    public let model: LanguageModel
    /// The ranks.
    public let grid: ProcessGrid
    /// Layers of every stage.
    public let partition: StagePartition
    /// Where a step runs the output layer.
    public let output: OutputPlacement
    /// What each rank does in a step; nil without stages.
    public let schedule: PipelineSchedule?
    /// Flat memory of the parameters and gradients this rank holds.
    public let arena: ParameterArena
    /// Applies the gradients.
    public let optimizer: any Optimizer
    /// Lanes of this rank.
    public let share: RankShare
    /// Steps done.
    public private(set) var stepsDone = 0
    /// The next window to train on.
    public private(set) var cursor = LaneCursor()

    /// What the last step left to compare layouts by.
    public private(set) var evidence = StepEvidence()

    private var trace: StepTrace?
    private let windows: LaneWindows
    private let computation: any WindowComputation
    private let parameters: StageParameters
    private let lossSum: GlobalSum

    /// Sets up a data-parallel run on all ranks of a communicator.
    ///
    /// - Throws: as the other initialiser.
    public convenience init(
        _ configuration: TrainingConfiguration, tokens: [Int32], communicator: any Communicator
    ) throws {
        try self.init(configuration, tokens: tokens, grid: ProcessGrid(dataParallel: communicator))
    }

    /// Sets up the run; the initial parameters are the same in every layout. Collective.
    ///
    /// - Parameters:
    ///   - schedule: what pipeline stages do; without stages it has no meaning.
    ///   - cuts: into how many parts it cuts the work.
    ///   - recomputation: whether the recurrent layers compute their gates again instead of keeping them; it decides
    ///     memory and time only, and may differ from rank to rank.
    ///   - placement: where a step runs the output layer; nil is where `OutputPlacement` finds it cheaper.
    /// - Throws: `EngineError` if a figure is out of range or the layout does not fit, `DataError` if the text is too
    ///   short or has a token that the model's vocabulary has not.
    public init(
        _ configuration: TrainingConfiguration, tokens: [Int32], grid: ProcessGrid,
        schedule kind: ScheduleKind = .wavefront, cuts: ScheduleCuts = ScheduleCuts(),
        recomputation: Recomputation? = nil,
        output placement: OutputPlacement? = nil
    ) throws {
        try configuration.check()
        let (layout, place) = (grid.layout, grid.place)
        try configuration.check(layout)
        try cuts.check(
            kind, steps: configuration.stepsPerWindow, replicas: layout.replicas, leafCount: configuration.leafCount)
        guard recomputation == nil || layout.shards == 1 else {
            throw EngineError(
                "The layout \(layout) shards hidden units, whose gates are kept; leave out shard or the recomputation.")
        }
        self.configuration = configuration
        self.grid = grid
        output =
            try placement
            ?? OutputPlacement.cheaper(configuration.model, layout, leafCount: configuration.leafCount)
        try output.check(layout, leafCount: configuration.leafCount)
        partition = try StagePartition(configuration.model, stages: layout.stages, output: output)
        windows = try LaneWindows(
            tokens: tokens, lanes: configuration.batch, steps: configuration.stepsPerWindow, tail: .dropped)
        try windows.check(vocabularySize: configuration.model.vocabularySize)
        share = RankShare(
            lanes: configuration.batch, leafCount: configuration.leafCount, rank: place.replica, size: layout.replicas)
        model = LanguageModel(
            configuration.model, seed: configuration.seed, layers: partition.stages[place.stage],
            copiesDecoder: output == .spread)
        model.recurrent.recomputation = recomputation
        if layout.stages == 1 && layout.shards == 1 {
            schedule = nil
            computation = TapeComputation(
                configuration, model: model, share: share, windows: windows, communicator: grid.replicaGroup)
        } else {
            let pipeline =
                layout.stages == 1
                ? .wavefront(stages: 1, chunks: 1, replicas: layout.replicas)
                : kind.schedule(
                    stages: layout.stages, replicas: layout.replicas, steps: configuration.stepsPerWindow,
                    leafCount: configuration.leafCount, cuts: cuts)
            schedule = layout.stages == 1 ? nil : pipeline
            computation = try PipelineComputation(
                configuration, model: model, windows: windows, schedule: pipeline, grid: grid,
                spreadsOutput: output == .spread)
        }
        arena = computation.arena
        optimizer = configuration.makeOptimizer(arena)
        parameters = StageParameters(model, partition: partition, group: grid.stageGroup)
        lossSum = GlobalSum(
            leafCount: configuration.leafCount, communicator: output == .spread ? grid.world : grid.replicaGroup)
        // Where the parameters stood before they moved into the arena: as much memory as they take.
        StoragePool.trim()
    }

    /// Names of all parameters of the model, ascending, as `evidence` lists them.
    public var parameterNames: [String] { parameters.names }

    /// Windows of one epoch.
    public var windowsPerEpoch: Int { windows.windowsPerEpoch }

    /// One step on the next window. Collective.
    ///
    /// - Throws: `CommError` of the transport, `NNError` if the gradient is not finite (on all ranks alike; the
    ///   parameters are then untouched).
    public func step() throws -> StepMetrics {
        let trace = trace?.begin(step: stepsDone + 1)
        var watch = StopWatch(trace)
        var times = StepTimes()
        if cursor.isAtLaneStart { for state in computation.states { state.fillWithZero() } }
        let leaves = try computation.run(window: cursor.window, step: stepsDone, times: &times, trace: trace)
        _ = watch.lap()
        evidence.leaves =
            output == .spread ? try lossSum.gather(leaves ?? []) : try lossSum.gather(leaves, lastStageOf: grid)
        let totals = LeafPlan.treeSum(evidence.leaves, +)
        times.combine += watch.lap(.wait, .phase(.loss))
        let norm = try update(&times, &watch)
        stepsDone += 1
        cursor.advance(windowsPerEpoch: windows.windowsPerEpoch)
        let hash = try parameterHash()
        times.hash = hash == nil ? watch.lap() : watch.lap(.compute, .phase(.hash))
        trace?.end(from: watch.start, to: watch.lapStart)
        return StepMetrics(
            step: stepsDone, loss: totals.lossSum / Double(totals.tokenCount), gradientNorm: norm,
            parameterHash: grid.world.rank == 0 ? hash : nil, tokens: totals.tokenCount,
            rowsThisRank: share.lanes.count, seconds: watch.total, times: times)
    }

    private func update(_ times: inout StepTimes, _ watch: inout StopWatch) throws -> Double {
        let own = zip(arena.slotsByName, GradientNorm.squares(arena, gradient: computation.gradient))
            .filter { parameters.counts($0.0.parameter) }
        times.update += watch.lap(.compute, .phase(.norm))
        let squares = try parameters.gather(own.map(\.1.value.bitPattern))
        times.update += watch.lap(.wait, .phase(.norm))
        evidence.gradientSquares = squares
        let norm = try GradientNorm(
            squares: zip(parameters.names, squares).map { ($0, Double(bitPattern: $1)) })
        optimizer.learningRate = configuration.learningRate(step: stepsDone)
        optimizer.step(
            gradient: computation.gradient,
            gradientScale: configuration.clip.map { norm.clippingFactor(maximum: $0) } ?? 1)
        times.update += watch.lap(.compute, .phase(.update))
        return norm.value
    }

    /// Records the next steps. Collective; the clocks of the ranks are compared first.
    ///
    /// - Parameter count: steps to record, at least 1.
    /// - Throws: `CommError` of the transport.
    public func beginTrace(steps count: Int) throws {
        require(count >= 1, "LanguageModelTrainer: a trace of \(count) steps")
        // An action with its wait, a message and its rows of the output layer each, and the phases.
        let perStep = 4 * (schedule?.ranks.map(\.count).max() ?? 0) + 2 * arena.slots.count + 16
        trace = StepTrace(steps: count, eventsPerStep: perStep, clock: try AlignedClock(grid.world))
    }

    /// Ends the recording and brings it to rank 0; nil on the other ranks, and if nothing was recorded. Collective.
    ///
    /// - Throws: `CommError` of the transport.
    public func endTrace() throws -> RunTrace? {
        guard let recorded = trace else { return nil }
        trace = nil
        return try RunTrace(gathering: recorded, on: grid)
    }

    /// `ParameterHash` of the whole model; nil on ranks of other replicas or shards than the first, which hold the same.
    /// Collective.
    public func parameterHash() throws(CommError) -> UInt64? {
        // One rank of every stage is enough: the hash takes time.
        guard grid.place.replica == 0, grid.place.shard == 0 else { return nil }
        if grid.layout.stages == 1 && grid.world.rank != 0 { return nil }
        evidence.parameterDigests = try parameters.gather(
            arena.slotsByName.map(\.parameter).filter(parameters.counts).map(ParameterHash.digest))
        return ParameterHash.combine(evidence.parameterDigests)
    }

    /// Everything needed to continue, with the states of all lanes. Collective; every rank gets the same.
    ///
    /// Parameters and optimiser states share memory with the trainer: use the snapshot before the next step.
    public func snapshot() throws -> TrainingSnapshot {
        var values: [(name: String, tensor: Tensor)] = []
        var optimizerStates: [(name: String, tensor: Tensor)] = []
        for (name, parameter) in model.pyTorchNames {
            let isHeld = parameters.counts(parameter)
            values.append((name, try parameters.whole(isHeld ? parameter.data : nil, of: parameter)))
            let own = optimizer.state(for: parameter)
            for (number, state) in optimizer.states.enumerated() {
                optimizerStates.append(
                    (state.name + "." + name, try parameters.whole(isHeld ? own[number].values : nil, of: parameter)))
            }
        }
        return TrainingSnapshot(
            configuration: configuration, stepsDone: stepsDone, cursor: cursor, parameters: values,
            optimizer: optimizerStates, states: try computation.states.map { try handoff.gather($0, on: grid) })
    }

    private var handoff: StateHandoff {
        StateHandoff(
            lanes: configuration.batch, leafCount: configuration.leafCount, partition: partition, layout: grid.layout)
    }

    /// Continues from a snapshot, also one of another layout. Not collective.
    ///
    /// - Throws: `EngineError` naming the first tensor that is missing or has another shape, `DataError` if the
    ///   cursor is not in the text.
    public func restore(_ snapshot: TrainingSnapshot) throws {
        let stateShape = [configuration.model.layers, configuration.batch, configuration.model.hidden]
        guard snapshot.states.count == configuration.model.stateCount,
            snapshot.states.allSatisfy({ $0.shape == stateShape && $0.dtype == .float32 })
        else {
            throw EngineError(
                "The checkpoint holds states \(snapshot.states.map(\.shape)) where \(configuration.model.stateCount) of shape \(stateShape) are expected; resume with the model and batch it was made with."
            )
        }
        try snapshot.cursor.check(windowsPerEpoch: windows.windowsPerEpoch)
        var moves: [(source: Tensor, target: Tensor)] = []
        for (name, parameter) in model.pyTorchNames {
            // Every rank looks at all tensors, so that all throw alike.
            let found = try snapshot.parameters.tensor(name, shape: parameter.shape)
            let isHeld = arena.position(of: parameter) != nil
            if isHeld { moves.append((found, parameter.data)) }
            let own = optimizer.state(for: parameter)
            for (number, state) in optimizer.states.enumerated() {
                let found = try snapshot.optimizer.tensor(state.name + "." + name, shape: parameter.shape)
                if isHeld { moves.append((found, own[number].values)) }
            }
        }
        for (source, target) in moves { target.copyElements(from: source) }
        arena.markChanged()
        optimizer.resume(stepCount: snapshot.stepsDone)
        stepsDone = snapshot.stepsDone
        cursor = snapshot.cursor
        computation.states = snapshot.states.map { handoff.part(of: $0, at: grid.place) }
    }
}
